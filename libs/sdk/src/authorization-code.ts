import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { systemClock, type Clock } from '@stint/kernel';
import { NetworkError, StintError } from './errors.ts';
import { KeyProof } from './key-proof.ts';
import { refreshTokenInMemory, type SignedInPerson } from './person.ts';
import { ServerTime } from './server-time.ts';
import { TokenEndpoint } from './token-endpoint.ts';

export interface SignInRequest {
  /** The gateway's public address as it calls itself (PUBLIC_URL). */
  url: string;
  /** Ed25519, to bind the session to; a new one by default. */
  dpopKey?: KeyObject;
  /** The email address, where it is known already. */
  loginHint?: string;
  /** For each request, in milliseconds; 15,000 by default. */
  timeoutMs?: number;
  clock?: Clock;
}

/** A person who has just signed in, with the refresh token to keep. */
export interface NewSignIn extends SignedInPerson {
  /** Put it where the person's next use finds it, readable for them alone. Not needed when `refreshTokens` is used as it is. */
  refreshToken: string;
}

const clientId = 'stint-cli';

/** One authorization code request with PKCE (RFC 7636), bound to a DPoP key (RFC 9449 §10): from the address to open to the tokens. */
export class AuthorizationCodeRequest {
  readonly url: string;
  readonly timeoutMs: number;
  readonly #verifier = randomBytes(32).toString('base64url');
  readonly #state = randomBytes(16).toString('base64url');
  readonly #dpopKey: KeyObject;
  readonly #keys: KeyProof;
  readonly #loginHint: string | undefined;
  readonly #clock: Clock;

  constructor(request: SignInRequest) {
    this.url = new URL(request.url).href.replace(/\/+$/, '');
    this.timeoutMs = request.timeoutMs ?? 15_000;
    this.#dpopKey = request.dpopKey ?? generateKeyPairSync('ed25519').privateKey;
    this.#keys = new KeyProof(this.#dpopKey);
    this.#loginHint = request.loginHint;
    this.#clock = request.clock ?? systemClock;
  }

  /** The address to open in a browser. */
  async address(redirectUri: string): Promise<string> {
    const parameters = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      scope: 'openid offline_access',
      resource: `${this.url}/graphql`,
      state: this.#state,
      code_challenge: createHash('sha256').update(this.#verifier).digest('base64url'),
      code_challenge_method: 'S256',
      dpop_jkt: await this.#keys.thumbprint(),
      ...(this.#loginHint === undefined ? {} : { login_hint: this.#loginHint }),
    });
    return `${this.url}/oauth/auth?${parameters.toString()}`;
  }

  /** True for an answer to this very request (RFC 6749 §10.12, RFC 9207). */
  isAnswer(answer: URL): boolean {
    return answer.searchParams.get('state') === this.#state && answer.searchParams.get('iss') === `${this.url}/oauth`;
  }

  /** The tokens for the answer that came to `redirectUri`; throws `StintError` UNAUTHENTICATED when it says no. */
  async exchange(answer: URL, redirectUri: string): Promise<NewSignIn> {
    if (!this.isAnswer(answer)) throw new StintError('UNAUTHENTICATED', 'The answer belongs to another sign-in. Start again.');
    const code = answer.searchParams.get('code');
    if (code === null) {
      const reason = answer.searchParams.get('error_description') ?? answer.searchParams.get('error') ?? 'no code';
      throw new StintError('UNAUTHENTICATED', `The sign-in was refused: ${reason}.`);
    }
    const endpoint = new TokenEndpoint({
      url: this.url,
      keys: this.#keys,
      time: new ServerTime(this.#clock),
      timeoutMs: this.timeoutMs,
    });
    const form = { grant_type: 'authorization_code', client_id: clientId, code, redirect_uri: redirectUri, code_verifier: this.#verifier };
    const { refreshToken } = await endpoint.ask(() => Promise.resolve(form));
    if (refreshToken === undefined) throw new NetworkError('The token endpoint gave no refresh token.');
    return { clientId, dpopKey: this.#dpopKey, refreshToken, refreshTokens: refreshTokenInMemory(refreshToken) };
  }
}
