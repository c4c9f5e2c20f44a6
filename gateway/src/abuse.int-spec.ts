import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getIntrospectionQuery } from 'graphql';
import { canary, grantId, startTestGateway, tenantId, type TestGateway } from './test-gateway.support.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: unknown; extensions: { code: string; correlationId?: string } }[];
  extensions?: unknown;
}

async function send(body: BodyInit, headers: Record<string, string> = { 'content-type': 'application/json' }) {
  const response = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body });
  const text = await response.text();
  return { status: response.status, text, answer: JSON.parse(text) as Answer };
}
const ask = (query: string, variables: Record<string, unknown> = {}) => send(JSON.stringify({ query, variables }));

const nested = (depth: number) => `{ tenant(id: "${tenantId}") { ${'parent { '.repeat(depth)}id${' }'.repeat(depth)} } }`;
const aliases = (count: number, field: string) => `{ ${Array.from({ length: count }, (_, i) => `a${i}: ${field}`).join(' ')} }`;
/** 20 fragments, each spreading the next twice: a million fields in 40 lines. */
const bomb = `query { ...F0 } ${Array.from({ length: 20 }, (_, i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`).join(' ')} fragment F20 on Query { viewer { id } }`;

describe('refused before any subgraph is asked, with code MALFORMED', () => {
  const cases: [string, string, number][] = [
    ['a query 50 levels deep', nested(50), 400],
    ['100 aliases', aliases(100, `tenant(id: "${tenantId}") { id }`), 400],
    ['100 aliases of __typename', aliases(100, '__typename'), 400],
    ['a fragment bomb', bomb, 400],
    ['fragments in a circle', 'query { ...A } fragment A on Query { ...B } fragment B on Query { ...A }', 400],
    ['100 directives', `{ viewer { id ${'@include(if: true)'.repeat(100)} } }`, 400],
    ['a query of 100,000 tokens', `{ ${'viewer { id } '.repeat(25_000).slice(0, 200_000)} }`, 400],
    [
      'lists in lists in lists',
      '{ tenants(first: 100) { edges { node { devices(first: 100) { edges { node { grants(first: 100) { edges { node { id } } } } } } } } } }',
      400,
    ],
    ['a field that does not exist', '{ viewr { id } }', 400],
    ['a syntax error', '{', 400],
    ['the schema, where it is not public', getIntrospectionQuery(), 400],
    ['what is for the gateway alone', `{ credential(id: "${tenantId}") { publicKey } }`, 400],
    ["a subgraph's own SDL", '{ _service { sdl } }', 400],
    ['entities, past the services that check them', `{ _entities(representations: []) { __typename } }`, 400],
  ];
  test.each(cases)('%s', async (_name, query, status) => {
    const before = gateway.tenants.seen.length + gateway.jitPolicy.seen.length;
    const { answer, ...response } = await ask(query);
    expect([response.status, answer.errors?.[0]?.extensions.code, answer.data ?? null]).toEqual([status, 'MALFORMED', null]);
    expect(gateway.tenants.seen.length + gateway.jitPolicy.seen.length).toBe(before);
    expect(response.text).not.toMatch(/Did you mean|stacktrace|node_modules|\.ts:|\.js:/);
  });

  test('a thousand aliases take no longer than a moment', async () => {
    const started = performance.now();
    await ask(aliases(390, '__typename'));
    await ask(bomb);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('what HTTP brings is refused', () => {
  const query = '{ __typename }';
  test('a body of 300 KB: 413', async () => {
    expect(await send(JSON.stringify({ query, variables: { pad: 'x'.repeat(300 * 1024) } }))).toMatchObject({
      status: 413,
      answer: { errors: [{ extensions: { code: 'MALFORMED' } }] },
    });
  });
  test('a batch', async () => {
    expect(await send(JSON.stringify([{ query }, { query }]))).toMatchObject({
      status: 400,
      answer: { errors: [{ extensions: { code: 'MALFORMED' } }] },
    });
  });
  test.each(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain', 'message/x', 'text/plain; application/json'])(
    'a POST as %s',
    async (type) => {
      const { status } = await send(`query=${encodeURIComponent(query)}`, { 'content-type': type });
      expect(status).toBe(415);
    },
  );
  test('broken JSON, and JSON that would reach into prototypes', async () => {
    expect((await send('{')).status).toBe(400);
    expect((await send('{"query":"{ __typename }","variables":{"__proto__":{"x":1}}}')).status).toBe(400);
  });
  test('a mutation by GET, even with the header that CSRF protection asks for', async () => {
    const url = `${gateway.url}/graphql?query=${encodeURIComponent(`mutation { endGrant(input: { id: "${grantId}" }) { __typename } }`)}`;
    const before = gateway.jitPolicy.seen.length;
    expect((await fetch(url)).status).toBe(400);
    expect((await fetch(url, { headers: { 'apollo-require-preflight': '1' } })).status).toBe(405);
    expect(gateway.jitPolicy.seen.length).toBe(before);
  });
  test.each(['PUT', 'DELETE', 'PATCH'])('%s', async (method) => {
    expect((await fetch(`${gateway.url}/graphql`, { method })).status).toBe(404);
  });
});

describe('errors', () => {
  test("a refusal's code and words come through, nothing else of it", async () => {
    const { answer, text, status } = await ask(`{ technician(id: "${tenantId}") { id } tenant(id: "${tenantId}") { name } }`);
    expect(status).toBe(200);
    expect(answer.data).toEqual({ technician: null, tenant: { name: 'Example' } });
    expect(answer.errors).toEqual([
      {
        message: 'You need the permission technician.read for this.',
        path: ['technician'],
        extensions: { code: 'FORBIDDEN', correlationId: expect.stringMatching(/^[0-9a-f]{32}$/) },
      },
    ]);
    expect(text).not.toContain(canary);
  });

  test('a fault inside is masked and can be found by its correlation id', async () => {
    const { answer, text } = await ask(`{ group(id: "${tenantId}") { id } }`);
    expect(answer.errors?.[0]).toMatchObject({
      path: ['group'],
      extensions: { code: 'INTERNAL', correlationId: gateway.tenants.seen.at(-1)?.headers['x-correlation-id'] },
    });
    expect(answer.errors?.[0]?.message).toContain(answer.errors?.[0]?.extensions.correlationId);
    expect(text).not.toMatch(new RegExp(`${canary}|password|db failed|serviceName|tenants"`));
  });

  test('a subgraph that answers null where it promised a value is an error, without internal words', async () => {
    const { answer, text } = await ask(`{ device(id: "${tenantId}") { kind } }`);
    expect(answer).toMatchObject({ data: { device: null }, errors: [{ extensions: { code: 'INTERNAL' } }] });
    expect(text).not.toContain('valueCompletion');
  });

  test.each([
    ['a missing variable', 'query ($id: ID!) { tenant(id: $id) { id } }', {}],
    ['a variable of the wrong type', 'query ($n: Int) { tenants(first: $n) { edges { cursor } } }', { n: 'x' }],
    ['NaN', 'query ($n: Int) { tenants(first: $n) { edges { cursor } } }', { n: null, first: Number.NaN, x: 1e999 }],
  ])('%s', async (name, query, variables) => {
    const { answer } = await ask(query, variables);
    if (name === 'NaN') expect(answer.errors).toBeUndefined();
    else expect(answer.errors?.[0]?.extensions.code).toBe('MALFORMED');
  });
});
