import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider, type Grant } from 'oidc-provider';

/** An MSP's own OpenID Connect identity provider, really running; whoever comes is signed in as `person` at once. */
export class IdentityProvider {
  readonly issuer: string;
  person = { sub: 'ada', email: 'ada@example.com', email_verified: true };
  readonly #server: Server;

  private constructor(server: Server, redirectUri: string) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = { client_id: 'stint', client_secret: 'stint-secret-of-the-test', redirect_uris: [redirectUri] };
    const provider: Provider = new Provider(this.issuer, {
      clients: [{ ...client, response_types: ['code'], grant_types: ['authorization_code'] }],
      claims: { openid: ['sub'], email: ['email', 'email_verified'] },
      conformIdTokenClaims: false,
      cookies: { keys: ['of the test'] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
      findAccount: (_context, accountId) => ({ accountId, claims: () => ({ ...this.person, sub: accountId }) }),
      loadExistingGrant: async ({ oidc }): Promise<Grant> => {
        const grant: Grant = new provider.Grant({ accountId: oidc.account?.accountId ?? '', clientId: oidc.client?.clientId ?? '' });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
    });
    const answer = provider.callback();
    server.on('request', (request, response) => {
      if (request.url?.startsWith('/interaction/') !== true) void answer(request, response);
      else void provider.interactionFinished(request, response, { login: { accountId: this.person.sub } });
    });
  }

  static async start(redirectUri: string): Promise<IdentityProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new IdentityProvider(server, redirectUri);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
