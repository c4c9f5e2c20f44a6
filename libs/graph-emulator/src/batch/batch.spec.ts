import { afterEach, expect, test } from '@jest/globals';
import { emulated, newUser, type Emulated } from '../emulated.support.ts';

let world: Emulated;
afterEach(() => world.graph.stop());

interface Part {
  id: string;
  status: number;
  body?: Record<string, unknown>;
}
const json = { 'Content-Type': 'application/json' };

test('each part has its own status; order is not kept; what depends on a failure is not done', async () => {
  world = await emulated();
  const { call, tenant, graph } = world;
  graph.fail({ path: '/v1.0/groups', answer: { status: 429, headers: { 'retry-after': '3' } } });
  const { status, body } = await call('POST', '/$batch', {
    requests: [
      { id: 'make', method: 'POST', url: '/users', headers: json, body: newUser(tenant) },
      { id: 'list', method: 'GET', url: '/users?$select=displayName', dependsOn: ['make'] },
      { id: 'gone', method: 'GET', url: '/users/nobody' },
      { id: 'after', method: 'DELETE', url: `/users/jit-one@${tenant.initialDomain}`, dependsOn: ['gone'] },
      { id: 'busy', method: 'GET', url: '/groups' },
    ],
  });
  expect(status).toBe(200);
  const responses = body['responses'] as Part[];
  expect(responses.map(({ id }) => id)).not.toEqual(['make', 'list', 'gone', 'after', 'busy']);
  expect(Object.fromEntries(responses.map((part) => [part.id, part.status]))).toEqual({
    make: 201,
    list: 200,
    gone: 404,
    after: 424,
    busy: 429,
  });
  expect(responses.find(({ id }) => id === 'busy')).toMatchObject({ headers: { 'retry-after': '3' } });
  expect(tenant.users()).toHaveLength(1);
  expect(graph.exchanges.filter(({ batched }) => batched)).toHaveLength(4);
});

test.each([
  ['no requests', []],
  ['21 requests', Array.from({ length: 21 }, (_, index) => ({ id: String(index), method: 'GET', url: '/users' }))],
  ['two of one id', [1, 2].map(() => ({ id: '1', method: 'GET', url: '/users' }))],
  ['an address of another place', [{ id: '1', method: 'GET', url: 'https://elsewhere.example/users' }]],
  ['what comes later as a condition', [{ id: '1', method: 'GET', url: '/users', dependsOn: ['2'] }]],
  ['a body without its type', [{ id: '1', method: 'POST', url: '/users', body: {} }]],
])('a batch with %s is refused whole', async (_, requests) => {
  world = await emulated();
  expect((await world.call('POST', '/$batch', { requests })).status).toBe(400);
  expect(world.graph.exchanges.filter(({ batched }) => batched)).toEqual([]);
});
