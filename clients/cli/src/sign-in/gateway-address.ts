import { UsageError } from '../failure.ts';

/** Reads Stint's address as a person types or copies it; answers it without a slash at the end. */
export function gatewayAddress(text: string, options: { allowHttp?: boolean | undefined }): string {
  const address = URL.canParse(text) ? new URL(text) : null;
  if (address === null || !/^https?:$/.test(address.protocol) || address.username !== '' || address.password !== '')
    throw new UsageError('That is not an address: it looks like https://stint.example.com.');
  if (address.hash !== '' || /\/(join|l|app)(\/|$)/.test(address.pathname)) {
    throw new UsageError(
      `That link is for a browser: open it there first. Then run "stint sign-in ${address.origin}" on the command line.`,
    );
  }
  refuseUnsafe(address, options.allowHttp === true);
  return `${address.origin}${address.pathname}`.replace(/\/+$/, '');
}

function refuseUnsafe({ protocol, hostname }: URL, allowHttp: boolean): void {
  const here = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
  if (protocol === 'https:' || here || allowHttp) return;
  throw new UsageError(
    `The address is not protected by TLS: others could read what you do. Use https, or pass --allow-http if you trust the whole network between here and ${hostname}.`,
  );
}
