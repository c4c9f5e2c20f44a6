import { NetworkError, StintError } from './errors.ts';
import type { KeyProof } from './key-proof.ts';
import type { ServerTime } from './server-time.ts';
import { readJson, send } from './transport.ts';

/** What the token endpoint gave out. */
export interface TokenAnswer {
  accessToken: string;
  /** Seconds from now. */
  lifetimeSeconds: number;
  /** For people only. */
  refreshToken: string | undefined;
}

/** Asks the token endpoint with DPoP proofs by one key. Throws `StintError` UNAUTHENTICATED when it refuses, `NetworkError` when there is no answer. */
export class TokenEndpoint {
  readonly #issuer: string;
  readonly #keys: KeyProof;
  readonly #time: ServerTime;
  readonly #timeoutMs: number;
  #nonce: string | undefined;

  constructor(options: { url: string; keys: KeyProof; time: ServerTime; timeoutMs: number }) {
    this.#issuer = `${options.url}/oauth`;
    this.#keys = options.keys;
    this.#time = options.time;
    this.#timeoutMs = options.timeoutMs;
  }

  /** `form` is made anew for each try: assertions count once. */
  async ask(form: (nowSeconds: number) => Promise<Record<string, string>>): Promise<TokenAnswer> {
    // A second and third try only with what the refusal taught: the server's nonce (RFC 9449 §8) or its time.
    for (let attempt = 1; ; attempt++) {
      const response = await this.#send(form);
      const body = await readJson(response, { timeoutMs: this.#timeoutMs });
      this.#nonce = response.headers.get('dpop-nonce') ?? this.#nonce;
      if (response.ok) return this.#accept(body);
      const taught = this.#time.learn(response) || body['error'] === 'use_dpop_nonce';
      if (!taught || attempt === 3) throw refusal(response.status, body);
    }
  }

  async #send(form: (nowSeconds: number) => Promise<Record<string, string>>): Promise<Response> {
    const endpoint = `${this.#issuer}/token`;
    const now = this.#time.seconds();
    const [fields, dpop] = await Promise.all([form(now), this.#keys.proof({ method: 'POST', url: endpoint, nonce: this.#nonce }, now)]);
    return send(endpoint, { method: 'POST', body: new URLSearchParams(fields), headers: { dpop } }, { timeoutMs: this.#timeoutMs });
  }

  #accept(body: Record<string, unknown>): TokenAnswer {
    const { access_token: accessToken, expires_in: lifetimeSeconds, token_type: type, refresh_token: refreshToken } = body;
    if (typeof accessToken !== 'string' || typeof lifetimeSeconds !== 'number' || String(type).toLowerCase() !== 'dpop') {
      throw new NetworkError(`${this.#issuer}/token did not answer with a DPoP-bound access token.`);
    }
    return { accessToken, lifetimeSeconds, refreshToken: typeof refreshToken === 'string' ? refreshToken : undefined };
  }
}

function refusal(status: number, body: Record<string, unknown>): Error {
  const error = String(body['error'] ?? `HTTP ${status}`);
  if (status >= 500 || status === 429) return new NetworkError(`The token endpoint cannot answer now: ${error}.`);
  const description = typeof body['error_description'] === 'string' ? `: ${body['error_description']}` : '';
  const advice =
    error === 'invalid_grant' ? 'Sign in again: the session has ended.' : 'Check that the credential is registered and not revoked.';
  return new StintError('UNAUTHENTICATED', `Signing in was refused (${error}${description}). ${advice}`);
}
