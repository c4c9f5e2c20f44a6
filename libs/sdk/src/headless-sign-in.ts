import { AuthorizationCodeRequest, type NewSignIn, type SignInRequest } from './authorization-code.ts';
import { NetworkError, StintError } from './errors.ts';
import { readJson, send } from './transport.ts';

export interface HeadlessSignInRequest extends SignInRequest {
  /** Answers WebAuthn request options (PublicKeyCredentialRequestOptionsJSON) for a page of `origin` with an AuthenticationResponseJSON. */
  passkey: (options: Record<string, unknown>, origin: string) => unknown;
}

// Nobody listens there: the answer is read from the redirect.
const redirectUri = 'http://127.0.0.1/signed-in';

/**
 * Signs a person in without a browser, over the same requests that a browser makes: for tests and demonstrations with a
 * passkey in software. Throws `StintError` when the sign-in is refused.
 */
export async function signIn(request: HeadlessSignInRequest): Promise<NewSignIn> {
  const code = new AuthorizationCodeRequest(request);
  const browser = new Browser(code.url, code.timeoutMs);
  const page = await browser.redirect(await code.address(redirectUri));
  const options = await browser.post(`${page.href}/passkey/options`, {});
  const { origin } = new URL(code.url);
  const { location } = await browser.post(`${page.href}/passkey`, { response: await request.passkey(options, origin) });
  return code.exchange(await browser.redirect(String(location)), redirectUri);
}

/** As much of a browser as a sign-in needs: cookies by path, and redirects that are told. */
class Browser {
  readonly #origin: string;
  readonly #timeoutMs: number;
  readonly #cookies = new Map<string, { value: string; path: string }>();

  constructor(url: string, timeoutMs: number) {
    this.#origin = new URL(url).origin;
    this.#timeoutMs = timeoutMs;
  }

  /** Where a page sends the browser. */
  async redirect(url: string): Promise<URL> {
    const response = await this.#send(url, { redirect: 'manual' });
    const location = response.headers.get('location');
    if (location !== null) return new URL(location, url);
    throw new StintError('UNAUTHENTICATED', `The sign-in was refused: ${(await response.text()).slice(0, 300)}`);
  }

  async post(url: string, body: object): Promise<Record<string, unknown>> {
    const headers = { 'content-type': 'application/json', origin: this.#origin };
    const response = await this.#send(url, { method: 'POST', body: JSON.stringify(body), headers });
    const answer = await readJson(response, { timeoutMs: this.#timeoutMs });
    if (response.ok) return answer;
    const [error] = (answer['errors'] ?? []) as { message: string; extensions?: { code?: string } }[];
    if (error === undefined) throw new NetworkError(`${url} answered HTTP ${response.status}.`);
    throw new StintError(error.extensions?.code ?? 'INTERNAL', error.message);
  }

  async #send(url: string, init: RequestInit & { headers?: Record<string, string> }): Promise<Response> {
    const { origin, pathname } = new URL(url);
    if (origin !== this.#origin) throw new NetworkError('The sign-in leads to another site.');
    const mine = [...this.#cookies].filter(([, { path }]) => pathname === path || pathname.startsWith(`${path.replace(/\/$/, '')}/`));
    const cookie = mine.map(([name, { value }]) => `${name}=${value}`).join('; ');
    const response = await send(url, { ...init, headers: { ...init.headers, cookie } }, { timeoutMs: this.#timeoutMs });
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const path = attributes.find((attribute) => attribute.toLowerCase().startsWith('path='))?.slice(5) ?? '/';
      this.#cookies.set(pair.slice(0, pair.indexOf('=')), { value: pair.slice(pair.indexOf('=') + 1), path });
    }
    return response;
  }
}
