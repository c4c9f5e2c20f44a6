import { expect, test } from '@jest/globals';
import type { EntraDirectory } from './directory.port.ts';
import { guardedDirectory, guardRules } from './guarded-directory.ts';

const kept = '11111111-1111-4111-8111-111111111111';
const other = '22222222-2222-4222-8222-222222222222';

/** What a method gets that names this user. */
const args: Record<string, (id: string) => unknown[]> = {
  'users.setEnabled': (id) => [{ id, createdAt: null }, false],
  'users.setPassword': (id) => [{ id, createdAt: null }, 'Secret-1234'],
  'users.revokeSessions': (id) => [{ id, createdAt: null }],
  'users.delete': (id) => [{ id, createdAt: null }],
  'users.restore': (id) => [id],
  'users.purge': (id) => [id],
  'roles.assign': (id) => [{ principal: { id, createdAt: null } }],
  'roles.changeEnd': (id) => [{ principalId: id }, new Date(), { justification: '', ticket: null }],
  'roles.remove': (id) => [{ principalId: id }, ''],
  'passes.issue': (id) => [{ user: { id, createdAt: null } }],
  'passes.delete': (id) => [{ id, createdAt: null }, 'pass'],
};

const methods = Object.entries(guardRules).flatMap(([part, rules]) =>
  Object.entries(rules).map(([name, rule]) => ({ part: part as keyof EntraDirectory, name, reads: rule === 'READS' })),
);

/** A directory whose methods answer with their own name, guarded. */
function guarded(): Record<string, Record<string, (...given: unknown[]) => unknown>> {
  const inner: Record<string, Record<string, () => Promise<string>>> = {};
  for (const { part, name } of methods) inner[part] = { ...inner[part], [name]: () => Promise.resolve(name) };
  const protectedBy = (id: string) => Promise.resolve(id === kept ? 'it is a break-glass account' : null);
  return guardedDirectory(inner as unknown as EntraDirectory, protectedBy) as never;
}

test('each method that changes a user has its case here', () => {
  const changing = methods.filter(({ reads }) => !reads).map(({ part, name }) => `${part}.${name}`);
  expect(changing.toSorted()).toEqual([...Object.keys(args), 'users.create'].toSorted());
});

test.each(Object.keys(args))('%s is refused for a protected account, and passes for any other', async (key) => {
  const [part = '', name = ''] = key.split('.');
  const call = async (id: string) => guarded()[part]?.[name]?.(...(args[key]?.(id) ?? []));
  await expect(call(kept)).rejects.toMatchObject({
    kind: 'INVALID',
    message: 'Stint does not touch this account: it is a break-glass account.',
  });
  await expect(call(other)).resolves.toBe(name);
});

test.each(methods.filter(({ reads }) => reads))('$part.$name reads, and passes', async ({ part, name }) => {
  await expect(guarded()[part]?.[name]?.(kept)).resolves.toBe(name);
});

test('a new user is made', async () => {
  await expect(guarded()['users']?.['create']?.({})).resolves.toBe('create');
});
