import { createHash } from 'node:crypto';
import { UsageError } from '../failure.ts';

/** A one-time invitation: where to redeem it, and its token. */
export interface Invitation {
  /** The gateway's public address, without a slash at the end. */
  url: string;
  token: string;
}

/** Reads `https://…/join#<token>`, or a bare token where the address is given beside it. Never repeats the token. */
export function parseInvitation(text: string, options: { url?: string; allowHttp?: boolean }): Invitation {
  const bare = /^[A-Za-z0-9_-]{16,256}$/.test(text);
  if (bare && options.url === undefined) throw new UsageError('That is a token without an address. Pass the whole link, or --url as well.');
  const address = parseAddress(bare ? (options.url ?? '') : text);
  const token = bare ? text : address.hash.slice(1);
  if (!/^[A-Za-z0-9_-]{16,256}$/.test(token))
    throw new UsageError('That is not an invitation: its link looks like https://stint.example.com/join#<token>. Was all of it copied?');
  refuseUnsafe(address, options.allowHttp === true);
  const path = bare ? address.pathname : address.pathname.replace(/\/join\/?$/, '');
  if (!bare && path === address.pathname)
    throw new UsageError('That is not an invitation: its link looks like https://stint.example.com/join#<token>.');
  return { url: `${address.origin}${path}`.replace(/\/+$/, ''), token };
}

/** By what an unfinished sign-in knows its link again: SHA-256 of address and token, in hex. */
export function invitationMark({ url, token }: Invitation): string {
  return createHash('sha256').update(`stint-invitation\n${url}\n${token}`).digest('hex');
}

function parseAddress(text: string): URL {
  const address = URL.canParse(text) ? new URL(text) : null;
  if (
    address === null ||
    !/^https?:$/.test(address.protocol) ||
    address.username !== '' ||
    address.password !== '' ||
    address.search !== ''
  ) {
    throw new UsageError('That is not an invitation: its link looks like https://stint.example.com/join#<token>.');
  }
  return address;
}

function refuseUnsafe({ protocol, hostname }: URL, allowHttp: boolean): void {
  const here = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
  if (protocol === 'https:' || here || allowHttp) return;
  throw new UsageError(
    `The address is not protected by TLS: others could redeem the link before you. Ask for a link with https, or pass --allow-http if you trust the whole network between here and ${hostname}.`,
  );
}
