import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Provider, { type Adapter, type AdapterPayload, type ClientMetadata, type Configuration } from 'oidc-provider';

interface Account {
  email?: string;
  email_verified?: boolean;
}

/** Somebody else's OpenID Connect provider, really running on this machine, and the browser of a person who uses it. */
export class ForeignIdentityProvider {
  readonly issuer: string;
  readonly #server: Server;
  readonly accounts = new Map<string, Account>();

  private constructor(server: Server) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Takes a port; `open` begins to answer. */
  static async listen(): Promise<ForeignIdentityProvider> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ForeignIdentityProvider(server);
  }

  open(client: ClientMetadata, more: Configuration = {}): void {
    const provider = new Provider(this.issuer, {
      adapter: (model: string) => memory(model, { response_types: ['code'], grant_types: ['authorization_code'], ...client }),
      claims: { openid: ['sub'], email: ['email', 'email_verified'] },
      cookies: { keys: ['for tests'] },
      findAccount: (_, accountId) =>
        this.accounts.has(accountId) ? { accountId, claims: () => ({ sub: accountId, ...this.accounts.get(accountId) }) } : undefined,
      ...more,
    });
    const answer = provider.callback();
    this.#server.on('request', (request, response) => void answer(request, response));
  }

  /** Signs in as `login` on the page at `url` and consents; answers the address to which the browser is sent back. */
  async visit(url: string, login: string): Promise<string> {
    const cookies = new Map<string, string>();
    let next: { url: string; body?: URLSearchParams } = { url };
    for (let step = 0; step < 20; step += 1) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(next.url, {
        redirect: 'manual',
        headers: { cookie },
        ...(next.body && { method: 'POST', body: next.body }),
      });
      for (const set of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
        if (value === '') cookies.delete(name);
        else cookies.set(name, value);
      }
      const location = response.headers.get('location');
      if (location !== null) {
        next = { url: new URL(location, next.url).href };
        if (!next.url.startsWith(this.issuer)) return next.url;
        continue;
      }
      const page = await response.text();
      const [, action] = /<form[^>]*action="([^"]+)"/.exec(page) ?? [];
      const [, prompt = ''] = /name="prompt" value="(\w+)"/.exec(page) ?? [];
      if (action === undefined) throw new Error(`${response.status} ${page.replaceAll(/<style>[^]*<\/style>/g, '').slice(0, 2_000)}`);
      next = { url: new URL(action, next.url).href, body: new URLSearchParams({ prompt, login, password: 'x' }) };
    }
    throw new Error('The identity provider sends us round in circles.');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** What the provider keeps. The client comes from here and not from its configuration, where it would be cloned into objects of another realm than Jest's. */
function memory(model: string, client: ClientMetadata): Adapter {
  const rows = new Map<string, AdapterPayload>();
  const find = (id: string) => Promise.resolve(model === 'Client' && id === client.client_id ? (client as AdapterPayload) : rows.get(id));
  return {
    upsert: (id, payload) => Promise.resolve(void rows.set(id, payload)),
    find,
    findByUid: (uid) => Promise.resolve([...rows.values()].find((row) => row.uid === uid)),
    findByUserCode: () => Promise.resolve(undefined),
    consume: (id) => Promise.resolve(void Object.assign(rows.get(id) ?? {}, { consumed: 1 })),
    destroy: (id) => Promise.resolve(void rows.delete(id)),
    revokeByGrantId: () => Promise.resolve(),
  };
}
