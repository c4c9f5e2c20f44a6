import { base64url, dpopProof, keyThumbprint, sha256 } from '../crypto/dpop.ts';
import { keep, kept } from './key-store.ts';

const client = 'stint-console';
const endpoint = (path: string) => `${location.origin}/oauth/${path}`;
const redirectUri = () => `${location.origin}/app/signed-in`;

/** Renewed this long before its end. */
const marginMs = 10_000;

interface AccessToken {
  value: string;
  endsAt: number;
}
interface Leaving {
  verifier: string;
  state: string;
  /** Where the person wanted to go. */
  returnTo: string;
}

/** Nobody is signed in, or not any more. */
export class SignedOut extends Error {
  override readonly name = 'SignedOut';
}

let access: AccessToken | undefined;

/** Goes to the sign-in page (authorization code with PKCE, RFC 7636); `fresh` asks for a sign-in even where one is remembered. */
export async function signIn(returnTo: string, options: { fresh?: boolean } = {}): Promise<never> {
  const leaving: Leaving = { verifier: random(), state: random(), returnTo };
  sessionStorage.setItem('leaving', JSON.stringify(leaving));
  const query = new URLSearchParams({
    client_id: client,
    response_type: 'code',
    redirect_uri: redirectUri(),
    scope: 'openid offline_access',
    resource: `${location.origin}/graphql`,
    code_challenge: await sha256(leaving.verifier),
    code_challenge_method: 'S256',
    state: leaving.state,
    dpop_jkt: await keyThumbprint(),
    ...(options.fresh === true && { prompt: 'login' }),
  });
  location.assign(`${endpoint('auth')}?${query}`);
  return new Promise(() => undefined);
}

/** Ends a sign-in that came back to us; answers where the person wanted to go. */
export async function finishSignIn(): Promise<string> {
  const answer = new URLSearchParams(location.search);
  const leaving = JSON.parse(sessionStorage.getItem('leaving') ?? 'null') as Leaving | null;
  sessionStorage.removeItem('leaving');
  const code = answer.get('code');
  if (code === null || leaving === null || answer.get('state') !== leaving.state)
    throw new SignedOut(answer.get('error_description') ?? 'The sign-in was not finished. Start again.');
  await tokens({ grant_type: 'authorization_code', code, redirect_uri: redirectUri(), code_verifier: leaving.verifier });
  return leaving.returnTo;
}

/** The headers of one request; renews the access token when needed. Throws `SignedOut`. */
export async function authorization(method: string, url: string): Promise<Record<string, string>> {
  const accessToken = await current();
  return { authorization: `DPoP ${accessToken}`, dpop: await dpopProof({ method, url, accessToken }) };
}

/** The server did not take the access token: the next request gets a new one. */
export function refused(): void {
  access = undefined;
}

/** Forgets the sign-in in this browser. */
export async function signOut(): Promise<void> {
  access = undefined;
  await keep('refresh-token', undefined);
}

async function current(): Promise<string> {
  if (access !== undefined && Date.now() < access.endsAt - marginMs) return access.value;
  // One tab renews at a time: a refresh token works once, and using it twice ends the session.
  return navigator.locks.request('stint-refresh', async () => {
    if (access !== undefined && Date.now() < access.endsAt - marginMs) return access.value;
    const refreshToken = await kept<string>('refresh-token');
    if (refreshToken === undefined) throw new SignedOut('Sign in first.');
    return tokens({ grant_type: 'refresh_token', refresh_token: refreshToken });
  });
}

async function tokens(grant: Record<string, string>): Promise<string> {
  const url = endpoint('token');
  const send = async (nonce?: string) =>
    fetch(url, {
      method: 'POST',
      headers: { dpop: await dpopProof({ method: 'POST', url, nonce }) },
      body: new URLSearchParams({ client_id: client, ...grant }),
    });
  let response = await send();
  const nonce = response.headers.get('dpop-nonce');
  if (response.status === 400 && nonce !== null) response = await send(nonce);
  const answer = (await response.json()) as { access_token?: string; refresh_token?: string; expires_in?: number; error?: string };
  if (!response.ok || answer.access_token === undefined) {
    if (answer.error === 'invalid_grant') await signOut();
    throw new SignedOut('Your sign-in has ended. Sign in again.');
  }
  if (answer.refresh_token !== undefined) await keep('refresh-token', answer.refresh_token);
  access = { value: answer.access_token, endsAt: Date.now() + (answer.expires_in ?? 60) * 1000 };
  return access.value;
}

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}
