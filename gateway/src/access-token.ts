import { createHash } from 'node:crypto';
import { principal as principalSchema, principalToken, type Principal } from '@stint/contracts';
import { Refusal, type Clock } from '@stint/kernel';
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify, type JWK, type JWTPayload } from 'jose';
import { BoundedCache } from './bounded-cache.ts';
import type { ReplayGuard } from './replay-guard.ts';
import { sessionSubject, type Revocations } from './revocations.ts';
import { issuedAtClaim } from './oidc-configuration.ts';
import type { SigningKeys } from './signing-keys.ts';

/** How long before and after its `iat` a DPoP proof is good, in seconds. */
export const proofToleranceSeconds = 60;

/** Who sends a request, and until when (epoch milliseconds) that is proved. */
export interface Caller {
  principal: Principal;
  provedUntil: number;
}

export interface SignedRequest {
  method: string;
  /** The public address of what is asked, without query. */
  url: string;
  authorization: string;
  proof: string | string[] | undefined;
}

type VerifyKey = Awaited<ReturnType<typeof importJWK>>;

interface KnownToken extends Caller {
  /** The thumbprint of the key that the token is bound to; null for a bearer token. */
  jkt: string | null;
  issuedAtMs: number;
  /** The proof key, once a first proof has shown it. */
  key?: { x: string; verify: VerifyKey };
}

/**
 * Verifies DPoP-bound access tokens and their proofs (RFC 9449 §4.3, §7.1). A token is verified once and remembered by its
 * hash until it ends; each request still needs a fresh proof of its own. A bearer token (RFC 6750) is believed from an API
 * client alone, and only when it is bound to no key.
 */
export class AccessTokenVerifier {
  readonly #keys: SigningKeys;
  readonly #issuer: string;
  readonly #audience: string;
  readonly #replays: ReplayGuard;
  readonly #revocations: Revocations;
  readonly #clock: Clock;
  readonly #known = new BoundedCache<KnownToken>(100_000);

  constructor(options: {
    keys: SigningKeys;
    issuer: string;
    audience: string;
    replays: ReplayGuard;
    revocations: Revocations;
    clock: Clock;
  }) {
    this.#keys = options.keys;
    this.#issuer = options.issuer;
    this.#audience = options.audience;
    this.#replays = options.replays;
    this.#revocations = options.revocations;
    this.#clock = options.clock;
  }

  /** Throws `Refusal` UNAUTHENTICATED for anything but a valid token with a fresh proof by its key for this very request. */
  async verify(request: SignedRequest): Promise<Caller> {
    const [scheme, token, ...rest] = request.authorization.split(' ');
    const dpop = scheme?.toLowerCase() === 'dpop';
    if ((!dpop && scheme?.toLowerCase() !== 'bearer') || !token || rest.length > 0)
      throw refused('Use the DPoP scheme: Authorization: DPoP <token>.');
    if (dpop && typeof request.proof !== 'string') throw refused('A signed-in request needs exactly one DPoP header.');
    const ath = createHash('sha256').update(token).digest('base64url');
    const known = await this.#token(token, ath);
    const { principal } = known;
    const session = principal.kind === 'technician' && principal.sessionId !== undefined ? [sessionSubject(principal.sessionId)] : [];
    const subjects = 'id' in principal ? [principal.id, ...session] : session;
    if (subjects.some((subject) => this.#revocations.covers(subject, known.issuedAtMs)))
      throw refused('The credential or session was changed or revoked. Get a new access token.');
    if (typeof request.proof === 'string' && dpop) await this.#checkProof(request, request.proof, known, ath);
    // A bound token as a bearer token would be a stolen one (RFC 9449 §7.2).
    else if (known.jkt !== null || principal.kind !== 'client') throw refused('This token is bound to a key: use the DPoP scheme.');
    return known;
  }

  async #token(token: string, hash: string): Promise<KnownToken> {
    const remembered = this.#known.get(hash);
    if (remembered) {
      if (this.#clock.now().getTime() < remembered.provedUntil) return remembered;
      this.#known.delete(hash);
    }
    const { payload } = await jwtVerify(token, ({ kid }) => this.#keyOf(kid), {
      algorithms: ['EdDSA'],
      typ: 'at+jwt',
      issuer: this.#issuer,
      audience: this.#audience,
      requiredClaims: ['exp', issuedAtClaim, principalToken.claim],
      currentDate: this.#clock.now(),
    }).catch(() => {
      throw refused('The access token is not valid or has expired. Get a new one.');
    });
    const parsed = principalSchema.safeParse(payload[principalToken.claim]);
    const jkt = (payload['cnf'] as { jkt?: unknown } | undefined)?.jkt;
    const issuedAtMs = payload[issuedAtClaim];
    if (typeof issuedAtMs !== 'number') throw refused('The access token is of an older kind. Get a new one.');
    if (!parsed.success || (payload['cnf'] !== undefined && typeof jkt !== 'string'))
      throw refused('The access token is not one of ours. Get a new one.');
    const bound = typeof jkt === 'string' ? jkt : null;
    const known = { principal: parsed.data, provedUntil: (payload.exp ?? 0) * 1000, issuedAtMs, jkt: bound };
    this.#known.set(hash, known);
    return known;
  }

  #keyOf(kid: string | undefined) {
    const key = this.#keys.verifying(kid);
    if (key === undefined) throw new Error('signed by nobody we know');
    return key;
  }

  async #checkProof(request: SignedRequest, proof: string, known: KnownToken, ath: string): Promise<void> {
    const payload = await this.#verifiedProof(proof, known);
    const now = this.#clock.now().getTime() / 1000;
    const { jti, htm, htu, iat } = payload;
    if (htm !== request.method || typeof htu !== 'string' || plainUrl(htu) !== request.url)
      throw refused('The DPoP proof is for another request.');
    if (typeof iat !== 'number' || Math.abs(now - iat) > proofToleranceSeconds)
      throw refused('The DPoP proof is not of this minute. Check the clock.');
    if (payload['ath'] !== ath) throw refused('The DPoP proof is for another access token.');
    if (typeof jti !== 'string' || jti.length < 8 || jti.length > 128) throw refused('The DPoP proof needs a jti of 8 to 128 characters.');
    // Last, so that only what the key's holder signed takes up memory.
    if (!this.#replays.once(`${known.jkt}:${jti}`)) throw refused('The DPoP proof was used before. Sign each request anew.');
  }

  async #verifiedProof(proof: string, known: KnownToken): Promise<JWTPayload> {
    try {
      const jwk = decodeProtectedHeader(proof).jwk;
      if (known.jkt === null) throw refused('The access token is not bound to a key. Use the Bearer scheme.');
      if (!jwk || 'd' in jwk || !(jwk.crv === 'Ed25519' || jwk.crv === 'P-256') || !jwk.x)
        throw refused('The DPoP proof must carry an Ed25519 or P-256 public key.');
      if (known.key?.x !== jwk.x) known.key = await boundKey(jwk, known.jkt);
      const { payload } = await jwtVerify(proof, known.key.verify, {
        algorithms: ['EdDSA', 'ES256'],
        typ: 'dpop+jwt',
        currentDate: this.#clock.now(),
      });
      return payload;
    } catch (error) {
      throw error instanceof Refusal ? error : refused('The DPoP proof is not valid.');
    }
  }
}

async function boundKey(jwk: JWK, jkt: string): Promise<{ x: string; verify: VerifyKey }> {
  if ((await calculateJwkThumbprint(jwk)) !== jkt) throw refused('The DPoP proof is by another key than the access token is bound to.');
  const { kty, crv, x, y } = jwk as { kty: string; crv: string; x: string; y?: string };
  return { x, verify: await (y === undefined ? importJWK({ kty, crv, x }, 'EdDSA') : importJWK({ kty, crv, x, y }, 'ES256')) };
}

function plainUrl(text: string): string | null {
  const url = URL.parse(text);
  if (!url) return null;
  url.hash = '';
  url.search = '';
  return url.href;
}

function refused(message: string): Refusal {
  return new Refusal('UNAUTHENTICATED', message);
}
