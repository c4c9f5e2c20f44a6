import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AuthorizationCodeRequest, type NewSignIn, type SignInRequest } from './authorization-code.ts';

export interface BrowserSignInRequest extends SignInRequest {
  /** Opens the address in the person's browser, or shows it. */
  open: (address: string) => void | Promise<void>;
  /** Ends the wait. */
  signal?: AbortSignal;
}

/**
 * Signs a person in through their browser, for command lines (RFC 8252 §7.3): listens on the loopback interface until the
 * browser comes back. Throws `StintError` when the sign-in is refused, the signal's reason when it is aborted.
 */
export async function signInWithBrowser(request: BrowserSignInRequest): Promise<NewSignIn> {
  const code = new AuthorizationCodeRequest(request);
  let redirectUri = '';
  let settle: { resolve(answer: URL): void; reject(reason: unknown): void } | undefined;
  const answered = new Promise<URL>((resolve, reject) => (settle = { resolve, reject }));
  // Awaited below; an abort may come before that.
  answered.catch(() => undefined);
  const server = createServer((asked, response) => {
    const path = asked.url ?? '';
    const answer = URL.canParse(path, redirectUri) ? new URL(path, redirectUri) : null;
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', connection: 'close' };
    // Anything on this computer may call here; only the answer to our own question counts.
    if (asked.method !== 'GET' || answer?.pathname !== '/signed-in' || !code.isAnswer(answer)) {
      response.writeHead(404, headers).end('There is nothing here.');
      return;
    }
    const text = answer.searchParams.has('code') ? 'You are signed in.' : 'The sign-in was refused.';
    response.writeHead(200, headers).end(`${text} You can close this window and go back to the command line.`);
    settle?.resolve(answer);
  });
  const abort = () => settle?.reject(request.signal?.reason);
  try {
    request.signal?.throwIfAborted();
    request.signal?.addEventListener('abort', abort, { once: true });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    redirectUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/signed-in`;
    await request.open(await code.address(redirectUri));
    return await code.exchange(await answered, redirectUri);
  } finally {
    request.signal?.removeEventListener('abort', abort);
    server.close();
  }
}
