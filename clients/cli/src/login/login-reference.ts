import { CommandRefusal, UsageError } from '../failure.ts';

/**
 * The code of a login that a computer shows: typed as it is, or as the whole address in its QR. An address must lead to
 * the installation that the profile signs in to, so that nobody is lured into approving somewhere else.
 */
export function loginCode(text: string, profileUrl: string): string {
  if (isCode(text)) return text;
  if (!URL.canParse(text)) throw new UsageError('That is neither the code of a login nor the address in its QR. Was all of it copied?');
  const address = new URL(text);
  const home = new URL(profileUrl);
  const base = home.pathname.replace(/\/*$/, '/');
  if (address.origin !== home.origin || !address.pathname.startsWith(base) || address.username !== '' || address.password !== '') {
    throw new CommandRefusal(
      'FOREIGN_ADDRESS',
      `That QR leads to ${address.origin === 'null' ? 'something else' : address.origin}, but this profile signs in to ${profileUrl}. Do not approve it; if the computer is one of yours, take the profile of that installation.`,
    );
  }
  const code = address.hash.length > 1 ? address.hash.slice(1) : (address.pathname.split('/').at(-1) ?? '');
  if (!isCode(code)) throw new UsageError('That address carries no code of a login. Was all of it copied?');
  return code;
}

/** 128 bits in base64url are 22 characters. */
function isCode(text: string): boolean {
  return /^[A-Za-z0-9_-]{16,64}$/.test(text);
}
