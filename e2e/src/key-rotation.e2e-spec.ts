import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startGatewayFromEnv } from '@stint/gateway';
import type { Running } from '@stint/host';
import { decodeProtectedHeader } from 'jose';
import { OAuthFlow } from './oauth-flow.ts';
import { ask, SignInWorld } from './sign-in-world.ts';

let world: SignInWorld;
let balancer: Balancer;
let start: (keyFiles: readonly string[]) => Promise<void>;
let files: [string, string];

beforeAll(async () => {
  world = await SignInWorld.start({
    prepare: async ({ environments, directory, url }) => {
      files = [environments.gateway['SIGNING_KEY_FILES'] ?? '', directory.at('keys', 'gateway-next.pem')];
      const next = generateKeyPairSync('ed25519');
      writeFileSync(files[1], next.privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
      const nextX = next.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url');
      // Step one of a rotation: the services believe both keys.
      environments.tenants['GATEWAY_PUBLIC_KEYS'] = `${environments.tenants['GATEWAY_PUBLIC_KEYS'] ?? ''}, ${nextX}`;
      balancer = await Balancer.listen(Number(new URL(url).port));
      start = (keyFiles) =>
        balancer.turnTo(() => startGatewayFromEnv({ ...environments.gateway, PORT: '0', SIGNING_KEY_FILES: keyFiles.join(',') }));
    },
    startGateway: async () => {
      await start([files[0]]);
      return balancer;
    },
  });
});
afterAll(() => world.stop());

test('the signing key is rotated under running requests, and none is refused', async () => {
  const { phone } = world.administrator;
  const flow = new OAuthFlow(world.url);
  const signIn = async () => flow.redeem(await flow.code((options) => phone.sign(options as never, world.url)));
  const client = await world.client(world.administrator);
  let [running, answered] = [true, 0];
  const requests = Array.from({ length: 4 }, async () => {
    for (; running; answered++) expect((await ask(client, '{ viewer { id } }'))['viewer']).toEqual({ id: world.administrator.id });
  });
  const somehow = async (count: number) => {
    for (const until = answered + count; answered < until;) await Promise.race([new Promise(setImmediate), Promise.all(requests)]);
  };

  const before = await signIn();
  await somehow(20);
  await start([files[0], files[1]]);
  await somehow(20);
  await start([files[1], files[0]]);
  // What the old key signed is still good, and so is a sign-in that its cookies belong to.
  expect((await flow.whoAmI(before.access_token)).status).toBe(200);
  const after = await signIn();
  expect(kid(after.access_token)).not.toBe(kid(before.access_token));
  const { keys } = (await (await fetch(`${world.url}/oauth/jwks`)).json()) as { keys: { kid: string; d?: string }[] };
  expect(keys.map((key) => key.kid)).toEqual([kid(after.access_token), kid(before.access_token)]);
  expect(keys.some((key) => 'd' in key)).toBe(false);
  await somehow(20);
  await start([files[1]]);
  await somehow(20);
  expect((await flow.whoAmI(before.access_token)).status).toBe(401);
  expect((await flow.whoAmI(after.access_token)).status).toBe(200);
  running = false;
  await Promise.all(requests);
});

const kid = (token: string | undefined) => decodeProtectedHeader(token ?? '').kid;

/** In front of the gateway, as in production: requests go to the newest one, the one before ends what it has. */
class Balancer implements Running {
  readonly url: string;
  readonly #server: Server;
  #gateway: Running | undefined;
  #answering = new Set<Promise<unknown>>();

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://localhost:${(server.address() as AddressInfo).port}`;
    server.on('request', (asked: IncomingMessage, answer: ServerResponse) => {
      const { url = '', method, headers } = asked;
      const behind = request(new URL(url, this.#gateway?.url), { method, headers, agent: false }, (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      });
      behind.on('error', () => answer.destroy());
      asked.pipe(behind);
      const answered: Promise<unknown> = once(answer, 'close').then(() => this.#answering.delete(answered));
      this.#answering.add(answered);
    });
  }

  static async listen(port: number): Promise<Balancer> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
    return new Balancer(server);
  }

  async turnTo(startNext: () => Promise<Running>): Promise<void> {
    const before = this.#gateway;
    this.#gateway = await startNext();
    await Promise.all(this.#answering);
    await before?.close();
  }

  async close(): Promise<void> {
    await this.#gateway?.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
