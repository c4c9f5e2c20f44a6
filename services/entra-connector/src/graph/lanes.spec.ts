import { expect, test } from '@jest/globals';
import { Lanes } from './lanes.ts';
import type { Urgency } from './directory.port.ts';

/** Calls that last until they are told to end; `begun` has them in the order in which they began. */
class Calls {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();

  constructor(private readonly lanes: Lanes) {}

  begin(tenant: string, name: string, urgency: Urgency = 'HIGH'): Promise<string> {
    return this.lanes.run(tenant, urgency, () => {
      this.begun.push(name);
      return new Promise((resolve) => this.#ends.set(name, () => resolve(name)));
    });
  }

  end(name: string): void {
    this.#ends.get(name)?.();
  }
}

const settle = () => new Promise(setImmediate);

test('a tenant has few calls at a time; the next begins when one has ended', async () => {
  const calls = new Calls(new Lanes({ perTenant: 2, inAll: 10 }));
  const all = ['a1', 'a2', 'a3'].map((name) => calls.begin('a', name));
  await settle();
  expect(calls.begun).toEqual(['a1', 'a2']);
  calls.end('a1');
  await settle();
  expect(calls.begun).toEqual(['a1', 'a2', 'a3']);
  for (const name of ['a2', 'a3']) calls.end(name);
  expect(await Promise.all(all)).toEqual(['a1', 'a2', 'a3']);
});

test('tenants take turns: a busy one does not keep another waiting', async () => {
  const calls = new Calls(new Lanes({ perTenant: 3, inAll: 3 }));
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) void calls.begin('a', name);
  void calls.begin('b', 'b1');
  await settle();
  expect(calls.begun).toEqual(['a1', 'a2', 'a3']);
  calls.end('a1');
  await settle();
  expect(calls.begun).toEqual(['a1', 'a2', 'a3', 'b1']);
});

test('a tenant that does not answer holds up itself alone', async () => {
  const calls = new Calls(new Lanes({ perTenant: 2, inAll: 3 }));
  for (const name of ['slow1', 'slow2', 'slow3', 'slow4']) void calls.begin('slow', name);
  for (const name of ['b1', 'b2', 'b3']) {
    const done = calls.begin('b', name);
    await settle();
    calls.end(name);
    expect(await done).toBe(name);
  }
  expect(calls.begun).toEqual(['slow1', 'slow2', 'b1', 'b2', 'b3']);
});

test('urgent calls go first, and the others leave them a place', async () => {
  const calls = new Calls(new Lanes({ perTenant: 2, inAll: 10 }));
  for (const name of ['low1', 'low2']) void calls.begin('a', name, 'LOW');
  void calls.begin('a', 'high1');
  void calls.begin('a', 'high2');
  await settle();
  expect(calls.begun).toEqual(['low1', 'high1']);
  calls.end('low1');
  await settle();
  expect(calls.begun).toEqual(['low1', 'high1', 'high2']);
});

test('a call that fails gives its place free', async () => {
  const lanes = new Lanes({ perTenant: 2, inAll: 1 });
  await expect(lanes.run('a', 'HIGH', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await lanes.run('a', 'HIGH', () => Promise.resolve('done'))).toBe('done');
});
