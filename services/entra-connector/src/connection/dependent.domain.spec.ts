import { expect, test } from '@jest/globals';
import type { ConnectionState } from './connection.domain.ts';
import { dependentProblems, noDependents, type Dependents } from './dependent.domain.ts';

const [here, elsewhere] = ['11111111-2222-4333-8444-555555555555', '66666666-7777-4888-8999-000000000000'];
const both = (entraTenantId: string | null): Dependents => ({
  breakGlassAccounts: [{ name: 'emergency-1@contoso.example', entraTenantId }],
  source: { entraTenantId, people: 12 },
  leftBehind: [],
});
const two = ['BREAK_GLASS_UNATTENDED', 'USER_SOURCE_UNATTENDED'];

test.each<[string, ConnectionState, Dependents, string[]]>([
  ['nothing hangs on it', 'DISCONNECTED', noDependents, []],
  ['it works', 'READY', both(here), []],
  ['it does not work at the moment, which is a problem of its own', 'BROKEN', both(here), []],
  ['it is not known where they are', 'READY', both(null), []],
  ['it is being ended', 'DISCONNECTING', both(here), two],
  ['it is ended', 'DISCONNECTED', both(null), two],
  ['it leads elsewhere', 'READY', both(elsewhere), two],
  ['it will lead elsewhere', 'SETUP', both(elsewhere), two],
  [
    'accounts were left in a former one',
    'READY',
    { ...noDependents, leftBehind: [{ entraTenantId: elsewhere, accounts: 3, roles: [] }] },
    ['ACCOUNTS_LEFT_BEHIND'],
  ],
  ['that one is connected again', 'READY', { ...noDependents, leftBehind: [{ entraTenantId: here, accounts: 3, roles: [] }] }, []],
  [
    'only the source is of the former one',
    'READY',
    { ...both(elsewhere), breakGlassAccounts: both(here).breakGlassAccounts },
    [two[1] ?? ''],
  ],
])('%s', (_, state, dependents, codes) => {
  const problems = dependentProblems({ state, entraTenantId: here }, dependents);
  expect(problems.map(({ code }) => code)).toEqual(codes);
  expect(problems.some(({ blocking }) => blocking)).toBe(false);
});

test('names the accounts, and how many people', () => {
  const [accounts, source] = dependentProblems({ state: 'DISCONNECTED', entraTenantId: here }, both(here));
  expect(accounts?.message).toContain('emergency-1@contoso.example');
  expect(source?.message).toContain('12 technicians');
});

test('says what to do by hand: accounts of Stint are deleted, people lose the role alone', () => {
  const left = (accounts: number, roles: string[]) => {
    const dependents = { ...noDependents, leftBehind: [{ entraTenantId: elsewhere, accounts, roles }] };
    return dependentProblems({ state: 'READY', entraTenantId: here }, dependents)[0]?.nextStep;
  };
  expect(left(3, [])).toContain('delete the accounts');
  expect(left(0, ['User Administrator from anna@contoso.example'])).toContain(
    'take there by hand User Administrator from anna@contoso.example',
  );
  expect(left(0, ['User Administrator from anna@contoso.example'])).not.toContain('delete');
});
