import { afterEach, describe, expect, test } from '@jest/globals';
import { emulated, newUser, type Emulated } from '../emulated.support.ts';
import type { Fault } from './faults.ts';

let world: Emulated;
afterEach(() => world.graph.stop());

describe('faults on demand', () => {
  const create = { method: 'POST', path: '/v1.0/users' };
  test.each<[string, Fault, number | 'RESET', boolean]>([
    ['503 before', { ...create, answer: { status: 503 } }, 503, false],
    ['504 after', { ...create, when: 'AFTER', answer: { status: 504 } }, 504, true],
    ['429 without Retry-After', { ...create, answer: { status: 429 } }, 429, false],
    ['429 with Retry-After', { ...create, answer: { status: 429, headers: { 'retry-after': '7' } } }, 429, false],
    ['a cut connection before', { ...create, answer: 'RESET' }, 'RESET', false],
    ['a cut connection after', { ...create, when: 'AFTER', answer: 'RESET' }, 'RESET', true],
    ['a slow answer', { ...create, delayMs: 20 }, 201, true],
    ['what a function says', { answer: ({ path }) => (path === '/v1.0/users' ? { status: 500 } : null) }, 500, false],
    ['another path', { path: '/v1.0/groups', answer: { status: 500 } }, 201, true],
    ['another method', { ...create, method: 'GET', answer: { status: 500 } }, 201, true],
  ])('%s', async (_, fault, status, made) => {
    world = await emulated();
    const { call, tenant, graph } = world;
    graph.fail(fault);
    const answered = await call('POST', '/users', newUser(tenant)).then(
      (reply) => reply.status,
      () => 'RESET' as const,
    );
    expect(answered).toBe(status);
    expect(tenant.users()).toHaveLength(made ? 1 : 0);
    expect(graph.exchanges.at(-1)).toMatchObject({ method: 'POST', url: '/v1.0/users', status: status === 'RESET' ? null : status });
  });

  test('so many times, after so many; and no more when cancelled', async () => {
    world = await emulated();
    const { call, graph } = world;
    const statuses = async (count: number) => {
      const seen: number[] = [];
      for (let at = 0; at < count; at += 1) seen.push((await call('GET', '/users/nobody')).status);
      return seen;
    };
    const fault = graph.fail({ path: '/v1.0/users/*', skip: 1, times: 2, answer: { status: 503 } });
    expect(await statuses(5)).toEqual([404, 503, 503, 404, 404]);
    expect(fault.hits).toBe(2);
    const endless = graph.fail({ path: /nobody/, times: Infinity, answer: { status: 502 } });
    expect(await statuses(2)).toEqual([502, 502]);
    endless.cancel();
    expect(await statuses(1)).toEqual([404]);
  });

  test('the token endpoint fails too', async () => {
    world = await emulated();
    world.graph.fail({ path: '/login/*/oauth2/v2.0/token', answer: { status: 503 } });
    expect((await world.token()).status).toBe(503);
    expect((await world.token()).status).toBe(200);
  });
});

test('throttling: 429 with Retry-After; refused calls count; another app is not held up', async () => {
  world = await emulated({ throttle: { units: 4, seconds: 10 } });
  const { call, clock } = world;
  expect((await call('GET', '/users')).headers.get('x-ms-resource-unit')).toBe('2');
  clock.advance(4);
  expect((await call('GET', '/users')).headers.get('x-ms-throttle-limit-percentage')).toBe('1.0');
  const refused = await call('GET', '/users');
  expect(refused).toMatchObject({ status: 429, body: { error: { code: 'TooManyRequests' } } });
  expect(refused.headers.get('retry-after')).toBe('6');
  expect(refused.headers.get('x-ms-throttle-scope')).toMatch(/^Tenant_Application/);
  clock.advance(6);
  // The refused call is still counted: two and two of four, and no more.
  expect((await call('GET', '/users?$select=id')).status).toBe(429);
  clock.advance(10);
  expect((await call('GET', '/users?$select=id&$top=5')).headers.get('x-ms-resource-unit')).toBe('1');
});
