// The break-glass accounts of an Entra tenant, from the command line: nothing is registered but what was shown.
import { describe, expect, test } from '@jest/globals';
import { anId, signedIn, tenantId } from '../signed-in.support.ts';

const here = signedIn();
const accountId = anId(70);
const [objectId, userPrincipalName] = ['11111111-2222-4333-8444-555555555555', 'glass@contoso.example'];
const digest = 'ab'.repeat(32);
const account = {
  ...{ __typename: 'EntraBreakGlassAccount', id: accountId, objectId, userPrincipalName, displayName: 'Break glass', registered: true },
  ...{ registeredAt: '2026-11-23T13:18:21Z', problem: null as string | null, tampered: false },
};
const finding = {
  ...{ __typename: 'EntraBreakGlassFinding', objectId, userPrincipalName, displayName: 'Break glass', enabled: true },
  ...{ roles: ['Global Administrator'], groups: [], passwordChangedAt: null, synced: false, federated: false, guest: false, ours: false },
  ...{ obstacles: [] as string[], digest },
};
const add = ['entra', 'break-glass', 'add', tenantId, userPrincipalName];

describe('the list', () => {
  test('shows what somebody should look at', async () => {
    const rows = [account, { ...account, tampered: true, problem: 'Consent was withdrawn.' }];
    here.gateway.on('EntraBreakGlassAccounts', () => ({ tenant: { entraBreakGlassAccounts: rows } }));
    const { stdout } = await here.stint(['entra', 'break-glass', 'list', tenantId]);
    expect(stdout.split('\n').slice(1)).toEqual([
      `${accountId}  ${userPrincipalName}  2026-11-23 13:18:21Z`,
      `${accountId}  ${userPrincipalName}  2026-11-23 13:18:21Z  somebody else has changed its password; Consent was withdrawn.`,
      '',
    ]);
  });

  test.each([
    ['is empty', { tenant: { entraBreakGlassAccounts: [] } }, 0, 'has no break-glass accounts'],
    ['cannot be read now', { tenant: { entraBreakGlassAccounts: null } }, 1, 'cannot be read now'],
    ['is of a tenant that is not visible', { tenant: null }, 1, 'No tenant with this id'],
  ])('says when it %s', async (_, answer, exitCode, said) => {
    here.gateway.on('EntraBreakGlassAccounts', () => answer);
    const run = await here.stint(['entra', 'break-glass', 'list', tenantId]);
    expect(run).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(said) });
  });
});

describe('an account', () => {
  test('is registered after its name was typed, as it was shown', async () => {
    here.gateway
      .on('EntraBreakGlassFinding', () => ({ entraBreakGlassFinding: finding }))
      .on('RegisterEntraBreakGlassAccount', () => ({ registerEntraBreakGlassAccount: account }));
    expect(await here.stint(add, { typed: ['yes'] })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Global Administrator'),
    });
    expect(await here.stint(add)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`--yes ${digest}`) });
    expect(here.sent('RegisterEntraBreakGlassAccount')).toEqual([]);
    const run = await here.stint(add, { typed: [userPrincipalName] });
    expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Registered.') });
    expect(here.sent('EntraBreakGlassFinding')[0]).toEqual({ tenantId, account: userPrincipalName });
    expect(here.sent('RegisterEntraBreakGlassAccount')).toEqual([{ id: expect.any(String), tenantId, objectId, digest }]);
  });

  test('is registered unasked only by the digest of what was shown before', async () => {
    const shown = 'cd'.repeat(32);
    const message = 'The account has changed since. Look at it again.';
    here.gateway
      .on('EntraBreakGlassFinding', () => ({ entraBreakGlassFinding: finding }))
      .on('RegisterEntraBreakGlassAccount', () => ({ registerEntraBreakGlassAccount: { __typename: 'Conflict', message } }));
    expect(await here.stint([...add, '--yes', shown])).toMatchObject({ exitCode: 1, stderr: `stint: ${message}\n` });
    expect(here.sent('RegisterEntraBreakGlassAccount')).toMatchObject([{ digest: shown }]);
    expect(await here.stint([...add, '--yes', 'yes'])).toMatchObject({ exitCode: 2 });
    expect(here.sent('RegisterEntraBreakGlassAccount')).toHaveLength(1);
  });

  test('that cannot be one is shown with why, and not asked for', async () => {
    here.gateway.on('EntraBreakGlassFinding', () => ({ entraBreakGlassFinding: { ...finding, obstacles: ['It is a guest.'] } }));
    const run = await here.stint(add, { typed: [userPrincipalName] });
    expect(run).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/cannot be +It is a guest\.[^]*Nothing was done/) });
    expect(here.sent('RegisterEntraBreakGlassAccount')).toEqual([]);
  });

  test.each(['NotFound', 'InvalidInput', 'EntraUnavailable', 'EntraAccountUnfit'])(
    'that cannot be looked at (%s) is told so',
    async (type) => {
      here.gateway.on('EntraBreakGlassFinding', () => ({
        entraBreakGlassFinding: { __typename: type, message: 'Not so.', field: 'account' },
      }));
      const { exitCode, stderr } = await here.stint([...add, '--json']);
      expect([exitCode, JSON.parse(stderr)]).toMatchObject([1, { error: { type } }]);
    },
  );

  test('is taken off the list with a reason, which the audit log keeps', async () => {
    here.gateway.on('RemoveEntraBreakGlassAccount', () => ({ removeEntraBreakGlassAccount: { ...account, registered: false } }));
    const remove = ['entra', 'break-glass', 'remove', accountId];
    expect(await here.stint(remove)).toMatchObject({ exitCode: 2 });
    expect(await here.stint([...remove, '--reason', ' '])).toMatchObject({ exitCode: 2 });
    expect(await here.stint([...remove, '--reason', 'Replaced'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Removed\.[^]*registered +no\n/),
    });
    expect(here.sent('RemoveEntraBreakGlassAccount')).toEqual([{ id: accountId, reason: 'Replaced' }]);
  });

  test('has its password changed now', async () => {
    const lapsAccount = {
      ...{ __typename: 'LapsAccount', id: accountId, kind: 'ENTRA', name: userPrincipalName, state: 'CONFIRMED', problem: null },
      ...{ overdue: false, versions: 3, confirmedAt: '2026-11-24T01:00:00Z', dueAt: '2026-11-24T01:00:00Z', revealedAt: null },
      ...{ checkedOutBy: null, checkedOutUntil: null, finding: null, device: null, tenant: { id: tenantId, name: 'Contoso' } },
    };
    here.gateway.on('RotateLapsPassword', () => ({ rotateLapsPassword: lapsAccount }));
    const rotate = ['entra', 'break-glass', 'rotate', accountId, '--reason', 'Somebody left'];
    expect(await here.stint(rotate)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Asked for.') });
    expect(here.sent('RotateLapsPassword')).toEqual([{ accountId, reason: 'Somebody left' }]);
  });

  test('that is not known is neither removed nor changed', async () => {
    const notFound = { __typename: 'NotFound', message: 'No break-glass account with this id.' };
    here.gateway
      .on('RemoveEntraBreakGlassAccount', () => ({ removeEntraBreakGlassAccount: notFound }))
      .on('RotateLapsPassword', () => ({ rotateLapsPassword: notFound }));
    for (const command of ['remove', 'rotate']) {
      const run = await here.stint(['entra', 'break-glass', command, accountId, '--reason', 'Replaced']);
      expect(run).toMatchObject({ exitCode: 1, stdout: '', stderr: `stint: ${notFound.message}\n` });
      expect(await here.stint(['entra', 'break-glass', command, 'glass', '--reason', 'Replaced'])).toMatchObject({ exitCode: 2 });
    }
  });
});
