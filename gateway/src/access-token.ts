import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { principal as principalSchema, principalToken, type Principal } from '@stint/contracts';
import { Refusal, type Clock } from '@stint/kernel';
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, jwtVerify, type JWK, type JWTPayload } from 'jose';
import { BoundedCache } from './bounded-cache.ts';
import type { ReplayGuard } from './replay-guard.ts';
import type { Revocations } from './revocations.ts';
import { issuedAtClaim } from './token-endpoint.ts';

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
  jkt: string;
  issuedAtMs: number;
  /** The proof key, once a first proof has shown it. */
  key?: { x: string; verify: VerifyKey };
}

/**
 * Verifies DPoP-bound access tokens and their proofs (RFC 9449 §4.3, §7.1). A token is verified once and remembered by its
 * hash until it ends; each request still needs a fresh proof of its own.
 */
export class AccessTokenVerifier {
  readonly #key: KeyObject;
  readonly #issuer: string;
  readonly #audience: string;
  readonly #replays: ReplayGuard;
  readonly #revocations: Revocations;
  readonly #clock: Clock;
  readonly #known = new BoundedCache<KnownToken>(100_000);

  constructor(options: {
    signingKey: KeyObject;
    issuer: string;
    audience: string;
    replays: ReplayGuard;
    revocations: Revocations;
    clock: Clock;
  }) {
    this.#key = createPublicKey(options.signingKey);
    this.#issuer = options.issuer;
    this.#audience = options.audience;
    this.#replays = options.replays;
    this.#revocations = options.revocations;
    this.#clock = options.clock;
  }

  /** Throws `Refusal` UNAUTHENTICATED for anything but a valid token with a fresh proof by its key for this very request. */
  async verify(request: SignedRequest): Promise<Caller> {
    const [scheme, token, ...rest] = request.authorization.split(' ');
    if (scheme?.toLowerCase() !== 'dpop' || !token || rest.length > 0) throw refused('Use the DPoP scheme: Authorization: DPoP <token>.');
    if (typeof request.proof !== 'string') throw refused('A signed-in request needs exactly one DPoP header.');
    const ath = createHash('sha256').update(token).digest('base64url');
    const known = await this.#token(token, ath);
    if ('id' in known.principal && this.#revocations.covers(known.principal.id, known.issuedAtMs)) {
      throw refused('The credential was changed or revoked. Get a new access token.');
    }
    await this.#checkProof(request, request.proof, known, ath);
    return known;
  }

  async #token(token: string, hash: string): Promise<KnownToken> {
    const remembered = this.#known.get(hash);
    if (remembered) {
      if (this.#clock.now().getTime() < remembered.provedUntil) return remembered;
      this.#known.delete(hash);
    }
    const { payload } = await jwtVerify(token, this.#key, {
      algorithms: ['EdDSA'],
      typ: 'at+jwt',
      issuer: this.#issuer,
      audience: this.#audience,
      requiredClaims: ['exp', 'cnf', issuedAtClaim, principalToken.claim],
      currentDate: this.#clock.now(),
    }).catch(() => {
      throw refused('The access token is not valid or has expired. Get a new one.');
    });
    const parsed = principalSchema.safeParse(payload[principalToken.claim]);
    const jkt = (payload['cnf'] as { jkt?: unknown } | undefined)?.jkt;
    const issuedAtMs = payload[issuedAtClaim];
    if (typeof issuedAtMs !== 'number') throw refused('The access token is of an older kind. Get a new one.');
    if (!parsed.success || typeof jkt !== 'string') throw refused('The access token is not bound to a key. Get a new one.');
    const known = { principal: parsed.data, provedUntil: (payload.exp ?? 0) * 1000, issuedAtMs, jkt };
    this.#known.set(hash, known);
    return known;
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
      if (!jwk || 'd' in jwk || jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519' || !jwk.x)
        throw refused('The DPoP proof must carry an Ed25519 public key.');
      if (known.key?.x !== jwk.x) known.key = await boundKey(jwk, known.jkt);
      const { payload } = await jwtVerify(proof, known.key.verify, {
        algorithms: ['EdDSA'],
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
  const { kty, crv, x } = jwk as { kty: string; crv: string; x: string };
  return { x, verify: await importJWK({ kty, crv, x }, 'EdDSA') };
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
