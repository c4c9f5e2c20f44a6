import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import http from '@graphql-mesh/transport-http';
import { serverAudits } from 'graphql-http';
import { startStandIn, type StandIn } from './stand-in.support.ts';
import { grantId, jitPolicyResolvers, startTestGateway, tenantId, tenantsResolvers, type TestGateway } from './test-gateway.support.ts';

describe('GraphQL over HTTP: the audits of graphql-http', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    // Some audits ask the schema for something to talk about.
    gateway = await startTestGateway({ introspection: true });
  });
  afterAll(() => gateway.close());

  /** Not a MUST, and not done on purpose. */
  const exceptions: Record<string, string> = {
    '5A70': 'GET needs a header that a foreign web page cannot send (CSRF)',
    D6D5: 'the same',
    '6A70': 'the same',
    '572B': 'a malformed request answers 400 in either media type, so that proxies and monitors see it',
    FDE2: 'the same',
    '7B9B': 'the same',
  };

  const audits = serverAudits({ url: () => `${gateway.url}/graphql`, fetchFn: fetch });
  test.each(audits.map((audit) => [`${audit.id} ${audit.name}`, audit] as const))('%s', async (_name, audit) => {
    const result = await audit.fn();
    if (result.status !== 'ok' && !(result.status !== 'error' && audit.id in exceptions))
      throw new Error(`${result.status}: ${result.reason}`);
  });
});

describe('supergraph.graphql in another federation gateway (Hive)', () => {
  let subgraphs: StandIn[];
  let hive: ReturnType<typeof createGatewayRuntime>;
  beforeAll(async () => {
    subgraphs = await Promise.all([
      startStandIn('tenants', tenantsResolvers(new Map()), null),
      startStandIn('jit-policy', jitPolicyResolvers(), null),
      startStandIn('laps-vault', {}, null),
      startStandIn('entra-connector', {}, null),
    ]);
    hive = createGatewayRuntime({
      supergraph: readFileSync(join(import.meta.dirname, '../../supergraph.graphql'), 'utf8'),
      transportEntries: Object.fromEntries(
        ['tenants', 'jit-policy', 'laps-vault', 'entra-connector'].map((name, at) => [name, { location: subgraphs[at]?.url ?? '' }]),
      ),
      // Given here because its own lazy import does not work under Jest.
      transports: { http },
      logging: false,
    });
  });
  afterAll(async () => {
    await hive[Symbol.asyncDispose]();
    await Promise.all(subgraphs.map((subgraph) => subgraph.close()));
  });

  async function ask(query: string): Promise<unknown> {
    const response = await hive.fetch('http://gateway/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    return response.json();
  }

  test('joins both services in one query', async () => {
    expect(
      await ask(
        `{ tenant(id: "${tenantId}") { name grants { edges { node { state technician { displayName } device { hostName } } } } } }`,
      ),
    ).toEqual({
      data: {
        tenant: {
          name: 'Example',
          grants: { edges: [{ node: { state: 'ACTIVE', technician: { displayName: 'Anna' }, device: { hostName: 'ws-1' } } }] },
        },
      },
    });
  });

  test('resolves result unions of mutations', async () => {
    expect(
      await ask(
        `mutation { endGrant(input: { id: "${grantId}" }) { __typename ... on Grant { accountName device { hostName } } ... on Problem { message } } }`,
      ),
    ).toEqual({
      data: { endGrant: { __typename: 'Grant', accountName: 'jit-anna', device: { hostName: 'ws-1' } } },
    });
  });

  test('keeps inaccessible fields out of the public schema', async () => {
    expect(await ask(`{ credential(id: "${grantId}") { publicKey } }`)).toMatchObject({
      errors: [{ message: expect.stringContaining('credential') }],
    });
  });
});
