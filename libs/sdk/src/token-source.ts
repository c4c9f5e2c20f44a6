import { NetworkError, StintError } from './errors.ts';
import { KeyProof, type Credential } from './key-proof.ts';
import type { ServerTime } from './server-time.ts';
import { readJson, send } from './transport.ts';

interface AccessToken {
  value: string;
  /** Renewed from here on, in the server's seconds. */
  renewAt: number;
}

/** The headers that prove a credential to the gateway: an access token and a DPoP proof for one request. */
export class TokenSource {
  readonly #issuer: string;
  readonly #time: ServerTime;
  readonly #keys: KeyProof;
  readonly #timeoutMs: number;
  #token: AccessToken | undefined;
  #renewal: Promise<AccessToken> | undefined;
  #endpointNonce: string | undefined;
  #resourceNonce: string | undefined;

  constructor(options: { url: string; credential: Credential; time: ServerTime; timeoutMs: number }) {
    this.#issuer = `${options.url}/oauth`;
    this.#keys = new KeyProof(options.credential);
    this.#time = options.time;
    this.#timeoutMs = options.timeoutMs;
  }

  /** Signs for one request; gets or renews the token first when needed (one renewal at a time, shared by all who wait). */
  async headers(method: string, url: string): Promise<Record<string, string>> {
    const { value } = await this.#current();
    const proof = await this.#keys.proof({ method, url, accessToken: value, nonce: this.#resourceNonce }, this.#time.seconds());
    return { authorization: `DPoP ${value}`, dpop: proof };
  }

  /** Takes a 401 into account: the next `headers` come with a new token, the server's nonce and the server's time. */
  refused(response: Response): void {
    this.#token = undefined;
    this.#resourceNonce = response.headers.get('dpop-nonce') ?? this.#resourceNonce;
    this.#time.learn(response);
  }

  async #current(): Promise<AccessToken> {
    if (this.#token && this.#time.seconds() < this.#token.renewAt) return this.#token;
    this.#renewal ??= this.#renew().finally(() => (this.#renewal = undefined));
    return this.#renewal;
  }

  async #renew(): Promise<AccessToken> {
    // A second and third try only with what the refusal taught: the server's nonce (RFC 9449 §8) or its time.
    for (let attempt = 1; ; attempt++) {
      const response = await this.#askForToken();
      const body = await readJson(response, { timeoutMs: this.#timeoutMs });
      this.#endpointNonce = response.headers.get('dpop-nonce') ?? this.#endpointNonce;
      if (response.ok) return (this.#token = this.#accept(body));
      const taught = this.#time.learn(response) || body['error'] === 'use_dpop_nonce';
      if (!taught || attempt === 3) throw refusal(response.status, body);
    }
  }

  async #askForToken(): Promise<Response> {
    const endpoint = `${this.#issuer}/token`;
    const now = this.#time.seconds();
    const [assertion, dpop] = await Promise.all([
      this.#keys.assertion(this.#issuer, now),
      this.#keys.proof({ method: 'POST', url: endpoint, nonce: this.#endpointNonce }, now),
    ]);
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
    return send(endpoint, { method: 'POST', body, headers: { dpop } }, { timeoutMs: this.#timeoutMs });
  }

  #accept(body: Record<string, unknown>): AccessToken {
    const { access_token: value, expires_in: lifetime, token_type: type } = body;
    if (typeof value !== 'string' || typeof lifetime !== 'number' || String(type).toLowerCase() !== 'dpop') {
      throw new NetworkError(`${this.#issuer}/token did not answer with a DPoP-bound access token.`);
    }
    return { value, renewAt: this.#time.seconds() + lifetime - Math.min(10, lifetime / 4) };
  }
}

function refusal(status: number, body: Record<string, unknown>): Error {
  const error = String(body['error'] ?? `HTTP ${status}`);
  if (status >= 500 || status === 429) return new NetworkError(`The token endpoint cannot answer now: ${error}.`);
  const description = typeof body['error_description'] === 'string' ? `: ${body['error_description']}` : '';
  return new StintError(
    'UNAUTHENTICATED',
    `Signing in was refused (${error}${description}). Check that the credential is registered and not revoked.`,
  );
}
