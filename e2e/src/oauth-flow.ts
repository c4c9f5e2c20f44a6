// An OAuth client and a browser whose every step a test can change.
import { createHash, generateKeyPairSync, randomBytes, randomUUID, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose';

export const loopback = 'http://127.0.0.1:49152/signed-in';

export interface Tokens {
  status: number;
  error?: string;
  access_token?: string;
  refresh_token?: string;
  expires_in?: number;
  token_type?: string;
  id_token?: string;
}

/** A browser's cookies, by path. */
export class CookieJar {
  readonly lines: string[] = [];
  readonly #cookies = new Map<string, { pair: string; path: string }>();

  take(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      this.lines.push(line);
      const [pair = ''] = line.split(';');
      this.#cookies.set(pair.split('=')[0] ?? '', { pair, path: /path=([^;]+)/i.exec(line)?.[1] ?? '/' });
    }
  }

  header(url: string): string {
    const { pathname } = new URL(url);
    return [...this.#cookies.values()]
      .filter(({ path }) => pathname === path || pathname.startsWith(`${path}/`))
      .map(({ pair }) => pair)
      .join('; ');
  }
}

export class OAuthFlow {
  readonly url: string;
  readonly key: KeyObject = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  readonly verifier = randomBytes(32).toString('base64url');
  readonly state = randomBytes(16).toString('base64url');
  readonly clientId: string;
  readonly redirectUri: string;
  jar = new CookieJar();
  /** The address of the sign-in page. */
  page = '';

  constructor(url: string, clientId = 'stint-cli', redirectUri = loopback) {
    this.url = url;
    this.clientId = clientId;
    this.redirectUri = redirectUri;
  }

  async authorize(changes: Record<string, string | undefined> = {}): Promise<Response> {
    const parameters = {
      response_type: 'code',
      client_id: this.clientId,
      redirect_uri: this.redirectUri,
      scope: 'openid offline_access',
      state: this.state,
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      dpop_jkt: await calculateJwkThumbprint(await publicJwk(this.key)),
      ...changes,
    };
    const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const response = await this.get(`${this.url}/oauth/auth?${new URLSearchParams(given).toString()}`);
    this.page = response.headers.get('location') ?? '';
    return response;
  }

  async get(url: string): Promise<Response> {
    const response = await fetch(url, { redirect: 'manual', headers: { cookie: this.jar.header(url) } });
    this.jar.take(response);
    return response;
  }

  async post(
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const url = `${this.page}${path}`;
    const response = await fetch(url, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', origin: this.url, cookie: this.jar.header(url), ...headers },
    });
    this.jar.take(response);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  /** From the authorization request to the code in the redirect. */
  async code(sign: (options: Record<string, unknown>) => unknown): Promise<string> {
    const answer = new URL(await this.walk(String((await this.authorize()).headers.get('location')), sign));
    return answer.searchParams.get('code') ?? `no code: ${answer.href}`;
  }

  /** As a browser, from the sign-in page to the address of the answer. */
  async walk(page: string, sign: (options: Record<string, unknown>) => unknown): Promise<string> {
    this.page = page;
    const options = await this.post('/passkey/options', {});
    const { body } = await this.post('/passkey', { response: sign(options.body) });
    return (await this.get(String(body['location']))).headers.get('location') ?? 'none:';
  }

  redeem(code: string, changes: Record<string, string | undefined> = {}, key: KeyObject | null = this.key): Promise<Tokens> {
    const form = { grant_type: 'authorization_code', code, redirect_uri: this.redirectUri, code_verifier: this.verifier, ...changes };
    return this.token(form, key);
  }

  refresh(refreshToken: string | undefined, key: KeyObject | null = this.key): Promise<Tokens> {
    return this.token({ grant_type: 'refresh_token', refresh_token: refreshToken }, key);
  }

  async token(form: Record<string, string | undefined>, key: KeyObject | null): Promise<Tokens> {
    const endpoint = `${this.url}/oauth/token`;
    const given = Object.entries({ client_id: this.clientId, ...form }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const headers: Record<string, string> = key === null ? {} : { dpop: await proof(key, 'POST', endpoint) };
    const response = await fetch(endpoint, { method: 'POST', body: new URLSearchParams(given), headers });
    return { status: response.status, ...((await response.json()) as object) };
  }

  /** Asks GraphQL who is calling; answers the status and the technician's id. */
  async whoAmI(accessToken: string | undefined, key = this.key): Promise<{ status: number; id: string | undefined }> {
    const url = `${this.url}/graphql`;
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `DPoP ${accessToken ?? ''}`,
        dpop: await proof(key, 'POST', url, accessToken),
      },
      body: JSON.stringify({ query: '{ viewer { id } }' }),
    });
    const { data } = (await response.json()) as { data?: { viewer: { id: string } } };
    return { status: response.status, id: data?.viewer.id };
  }
}

async function publicJwk(key: KeyObject) {
  const { kty, crv, x, y } = await exportJWK(key);
  return { kty, crv, x, ...(y === undefined ? {} : { y }) } as { kty: string; crv: string; x: string };
}

async function proof(key: KeyObject, method: string, url: string, accessToken?: string): Promise<string> {
  const ath = accessToken === undefined ? {} : { ath: createHash('sha256').update(accessToken).digest('base64url') };
  return new SignJWT({ jti: randomUUID(), htm: method, htu: url, iat: Math.floor(Date.now() / 1000), ...ath })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await publicJwk(key) })
    .sign(key);
}
