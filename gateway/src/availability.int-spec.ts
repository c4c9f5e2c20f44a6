import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLog } from '@stint/host';
import { NetworkError, StintError } from '@stint/sdk';
import { parse } from 'graphql';
import { startGateway } from './gateway.ts';
import { startTestGateway, tenantId, type TestGateway } from './test-gateway.support.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

const get = async (path: string) => {
  const response = await fetch(`${gateway.url}${path}`);
  return { status: response.status, body: (await response.json()) as unknown };
};

test('a subgraph that does not answer blanks its own fields; the rest is there, and the gateway lives', async () => {
  const device = gateway.register('device');
  const client = gateway.client(device);
  const document = parse('{ thisDevice { hostName desiredState { revision } } }');
  expect(await client.request(document)).toEqual({ thisDevice: { hostName: 'ws-1', desiredState: { revision: 7 } } });
  expect(await get('/health/ready')).toEqual({ status: 200, body: { status: 'ok', unreachable: [] } });

  await gateway.jitPolicy.close();
  const error = await client.request(document).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StintError);
  expect(error).toMatchObject({
    code: 'SUBGRAPH_UNAVAILABLE',
    correlationId: expect.stringMatching(/^[0-9a-f]{32}$/),
    data: { thisDevice: { hostName: 'ws-1', desiredState: null } },
  });
  expect((error as Error).message).not.toMatch(/ECONN|127\.0\.0\.1|jit-policy/);
  expect(await get('/health/ready')).toEqual({ status: 503, body: { status: 'not ready', unreachable: ['jit-policy'] } });
  expect((await get('/health/live')).status).toBe(200);

  await gateway.tenants.close();
  await expect(client.request(parse(`{ tenant(id: "${tenantId}") { name } }`))).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  // Whether a credential is good cannot be told now: not a refusal, but a reason to try again.
  await expect(gateway.client(gateway.register('device')).request(document)).rejects.toBeInstanceOf(NetworkError);
  expect((await get('/health/live')).status).toBe(200);
});

test('a supergraph with a subgraph that nobody told the place of does not start', async () => {
  await expect(
    startGateway({
      host: '127.0.0.1',
      port: 0,
      publicUrl: 'http://127.0.0.1:1',
      subgraphUrls: { tenants: 'http://127.0.0.1:1/graphql' },
      signingKeys: [gateway.signingKey],
      hints: gateway.hints,
      log: createLog('gateway', 'silent'),
    }),
  ).rejects.toThrow('"entra-connector"');
});
