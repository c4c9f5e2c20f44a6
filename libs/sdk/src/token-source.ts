import { NetworkError } from './errors.ts';
import { KeyProof, type Credential } from './key-proof.ts';
import type { SignedInPerson } from './person.ts';
import type { ServerTime } from './server-time.ts';
import { TokenEndpoint, type TokenAnswer } from './token-endpoint.ts';

interface AccessToken {
  value: string;
  /** Renewed from here on, in the server's seconds. */
  renewAt: number;
}

/** The headers that prove a caller to the gateway: an access token and a DPoP proof for one request. */
export class TokenSource {
  readonly #issuer: string;
  readonly #time: ServerTime;
  readonly #caller: Credential | SignedInPerson;
  readonly #keys: KeyProof;
  readonly #endpoint: TokenEndpoint;
  #token: AccessToken | undefined;
  #renewal: Promise<AccessToken> | undefined;
  #resourceNonce: string | undefined;

  constructor(options: { url: string; credential: Credential | SignedInPerson; time: ServerTime; timeoutMs: number }) {
    const { url, credential, time, timeoutMs } = options;
    this.#issuer = `${url}/oauth`;
    this.#caller = credential;
    this.#keys = new KeyProof('dpopKey' in credential ? credential.dpopKey : credential.privateKey);
    this.#time = time;
    this.#endpoint = new TokenEndpoint({ url, keys: this.#keys, time, timeoutMs });
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
    const { accessToken, lifetimeSeconds } = await ('dpopKey' in this.#caller ? this.#refresh(this.#caller) : this.#assert(this.#caller));
    return (this.#token = { value: accessToken, renewAt: this.#time.seconds() + lifetimeSeconds - Math.min(10, lifetimeSeconds / 4) });
  }

  #assert({ id }: Credential): Promise<TokenAnswer> {
    return this.#endpoint.ask(async (now) => ({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await this.#keys.assertion(id, this.#issuer, now),
    }));
  }

  /** The next refresh token is kept before the access token that came with it is used. */
  async #refresh({ clientId, refreshTokens }: SignedInPerson): Promise<TokenAnswer> {
    let answer: TokenAnswer | undefined;
    await refreshTokens.exchange(async (present) => {
      const form = { grant_type: 'refresh_token', client_id: clientId, refresh_token: present };
      answer = await this.#endpoint.ask(() => Promise.resolve(form));
      return answer.refreshToken ?? present;
    });
    if (answer === undefined) throw new NetworkError('The store of the refresh token did not renew it.');
    return answer;
  }
}
