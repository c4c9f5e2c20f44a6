import { join } from 'node:path';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { Args, Mutation, Query, Resolver, ResolveReference } from '@nestjs/graphql';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { conflict, invalidInput, newId, notFound, Refusal } from '@stint/kernel';
import type { Principal } from '@stint/contracts';
import { TestGateway } from '@stint/testing';
import { Caller, Can, startSubgraph, SubgraphModule } from './index.ts';

const thing = { __typename: 'Thing', id: '1', name: 'one', at: new Date('2026-11-23T12:00:00Z') };

@Resolver('Thing')
class ThingResolver {
  @Query()
  @Can('tenant.read')
  thing(@Args('id') id: string) {
    if (id === 'broken') throw new Error('password=hunter2');
    if (id === 'refused') throw new Refusal('LIMITED', 'Slow down.');
    if (id === 'foreign') throw notFound('thing');
    return thing;
  }

  @Query()
  @Can('anyone')
  open(@Caller() caller: Principal) {
    return caller.kind;
  }

  @Mutation()
  @Can('tenant.write')
  rename(@Args('input') input: { id: string; name: string }) {
    if (input.id === 'unlisted') throw conflict('not in the union');
    if (input.id === 'foreign') throw notFound('thing');
    if (input.name === '') throw invalidInput('name', 'must not be empty');
    return thing;
  }

  @ResolveReference()
  @Can('tenant.read')
  resolveReference(reference: { id: string }) {
    return { ...thing, id: reference.id };
  }
}

@Resolver('Query')
class Forgetful {
  @Query()
  thing() {
    return thing;
  }
}

@Resolver('Thing')
class Decorated {
  @ResolveReference()
  @Can('tenant.read')
  resolveReference(@Args('id') id: string) {
    return { ...thing, id };
  }
}

const logged: { fields: object; message: string }[] = [];
const gateway = new TestGateway();

@Module({})
class Probe {}
function probe(resolver: Type): DynamicModule {
  const schemaFile = join(import.meta.dirname, '..', 'test', 'probe.graphql');
  return {
    module: Probe,
    imports: [SubgraphModule.for({ schemaFile, log: { error: (fields, message) => logged.push({ fields, message }) } })],
    providers: [resolver],
  };
}
const start = (resolver: Type) =>
  startSubgraph({
    name: 'tenants',
    module: probe(resolver),
    gatewayPublicKeys: [gateway.publicKey],
    host: '127.0.0.1',
    port: 0,
    ready: () => Promise.resolve(true),
  });

const caller = (...permissions: ('tenant.read' | 'tenant.write')[]): Principal => ({
  kind: 'technician',
  id: newId(),
  mspId: newId(),
  tenantId: newId(),
  access: [{ tenantId: newId(), permissions }],
});
const device: Principal = { kind: 'device', id: newId(), mspId: newId(), tenantId: newId() };

let running: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  running = await start(ThingResolver);
});
afterAll(() => running.close());

async function send(who: Principal, query: string, variables: object = {}) {
  const headers = await gateway.headers(who, 'tenants');
  const response = await fetch(running.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  return (await response.json()) as { data?: Record<string, unknown> | null; errors?: { message: string; extensions: { code: string } }[] };
}
const codeOf = (answer: { errors?: { extensions: { code: string } }[] }) => answer.errors?.[0]?.extensions.code;

describe('who may call', () => {
  test.each([
    ['the permission', caller('tenant.read'), undefined],
    ['another permission', caller('tenant.write'), 'FORBIDDEN'],
    ['a device', device, 'FORBIDDEN'],
    ['nobody signed in', { kind: 'anonymous' } as Principal, 'UNAUTHENTICATED'],
    ['the gateway itself', { kind: 'gateway' } as Principal, 'FORBIDDEN'],
  ])('query and reference with %s', async (_, who, code) => {
    expect(codeOf(await send(who, '{ thing(id: "1") { name } }'))).toBe(code);
    expect(codeOf(await send(who, '{ _entities(representations: [{ __typename: "Thing", id: "2" }]) { ... on Thing { name } } }'))).toBe(
      code,
    );
  });

  test('an operation for anyone is for anyone', async () => {
    expect(await send({ kind: 'anonymous' }, '{ open }')).toEqual({ data: { open: 'anonymous' } });
  });

  test('an operation that does not say it stops the start', async () => {
    await expect(start(Forgetful)).rejects.toThrow('Say who may call Forgetful.thing');
  });

  test('a reference resolver whose check would not see the reference stops the start', async () => {
    await expect(start(Decorated)).rejects.toThrow('undecorated in Decorated.resolveReference');
  });
});

describe('a request without the gateway is refused before anything runs', () => {
  const other = new TestGateway();
  test.each([
    ['no principal', () => Promise.resolve({ 'content-type': 'application/json' })],
    ['another key', () => other.headers(caller('tenant.read'), 'tenants')],
    ['another audience', () => gateway.headers(caller('tenant.read'), 'jit-policy')],
  ])('%s', async (_, headers) => {
    for (const query of ['{ open }', '{ _service { sdl } }', '{ _entities(representations: []) { __typename } }', '{ nonsense }']) {
      const response = await fetch(running.url, { method: 'POST', headers: await headers(), body: JSON.stringify({ query }) });
      expect(response.status).toBe(401);
      expect(await response.json()).toEqual({ errors: [expect.objectContaining({ extensions: { code: 'UNAUTHENTICATED' } })] });
    }
  });
});

describe('failures', () => {
  const rename =
    'mutation ($id: ID!, $name: String!) { rename(input: { id: $id, name: $name }) { __typename ... on Problem { message } ... on InvalidInput { field } } }';
  test('a success is the union member', async () => {
    expect((await send(caller('tenant.write'), rename, { id: '1', name: 'x' })).data).toEqual({ rename: { __typename: 'Thing' } });
  });
  test('a problem is the union member of its name', async () => {
    expect((await send(caller('tenant.write'), rename, { id: '1', name: '' })).data).toEqual({
      rename: { __typename: 'InvalidInput', message: 'must not be empty', field: 'name' },
    });
  });
  test('a problem that the union does not list is masked and logged', async () => {
    expect(codeOf(await send(caller('tenant.write'), rename, { id: 'unlisted', name: 'x' }))).toBe('INTERNAL');
    expect(String((logged.at(-1)?.fields as { err: Error }).err)).toContain('Conflict, which RenameResult does not list');
  });
  test.each([
    ['refused', 'LIMITED'],
    ['foreign', 'NOT_FOUND'],
    ['broken', 'INTERNAL'],
  ])('a query that is %s answers null and %s', async (id, code) => {
    const answer = await send(caller('tenant.read'), '{ thing(id: "' + id + '") { name } }');
    expect(answer.data).toEqual({ thing: null });
    expect(codeOf(answer)).toBe(code);
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });
  test('a fault is logged under the id that the gateway gave the request', async () => {
    const correlationId = newId();
    const headers = { ...(await gateway.headers(caller('tenant.read'), 'tenants')), 'x-correlation-id': correlationId };
    const response = await fetch(running.url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query: '{ thing(id: "broken") { name } }' }),
    });
    expect(await response.text()).toContain(correlationId);
    expect(logged.at(-1)?.fields).toMatchObject({ correlationId });
  });

  test('unknown fields are told as such', async () => {
    expect(codeOf(await send(caller('tenant.read'), '{ thing(id: "1") { nope } }'))).toBe('GRAPHQL_VALIDATION_FAILED');
  });
  test('instants are RFC 3339', async () => {
    expect((await send(caller('tenant.read'), '{ thing(id: "1") { at } }')).data).toEqual({ thing: { at: '2026-11-23T12:00:00.000Z' } });
  });
});
