import { describe, expect, test } from '@jest/globals';
import { addSeconds, newId } from '@stint/kernel';
import { approvedGrant, type DeviceGrant } from '../grant/grant.domain.ts';
import type { DeviceTarget } from '../grant/grant-target.domain.ts';
import { checkInSeconds, desiredAccount, type Account } from './desired-state.domain.ts';
import { checkReports, checkStrays, commandOf, failureText, type AccountReport } from './report.domain.ts';

const noon = new Date('2026-11-23T12:00:00Z');
const at = (seconds: number) => addSeconds(noon, seconds);
const account: Account = {
  prepared: false,
  mspId: newId(),
  tenantId: newId(),
  id: newId(),
  deviceId: newId(),
  technicianId: null,
  name: 'jit-anna',
  displayName: 'Anna Berg',
  passwordLength: 24,
  lastUsedAt: noon,
  absentSince: null,
  removedAt: null,
};
function aGrant(change: Partial<DeviceGrant> = {}): DeviceGrant {
  const { mspId, tenantId, deviceId } = account;
  const target: DeviceTarget = {
    ...{ kind: 'DEVICE', deviceId, loginRequestId: newId(), accountId: account.id, accountName: account.name },
    ...{ idleEndSeconds: 300, removeNewPrivileged: true },
  };
  return {
    ...approvedGrant(
      {
        ...{ mspId, tenantId, technicianId: newId(), id: newId(), target, reason: null, ticket: null, sessionSeconds: 600 },
        ...{ maxSeconds: 1200, ruleMaxSeconds: 1200, approval: null, ruleId: null, ruleName: null },
      },
      noon,
    ),
    ...change,
  };
}
const active = (change: Partial<DeviceGrant> = {}) => aGrant({ state: 'ACTIVE', activeAt: at(10), expiresAt: at(610), ...change });

describe('what an account must look like', () => {
  const approved = aGrant();
  const running = active();
  const newer = active({ expiresAt: at(300) });
  const disabled = { state: 'DISABLED', grants: [], removeNewPrivileged: false };
  // At the end it is done what the setting says.
  const ending = { ...disabled, removeNewPrivileged: true };
  const told = (grant: DeviceGrant) => ({
    grantId: grant.id,
    loginRequestId: grant.target.loginRequestId,
    sessionSeconds: 600,
    idleEndSeconds: 300,
    warnSeconds: 150,
  });
  test.each<[string, Account, DeviceGrant[], number, object]>([
    ['no grant', account, [], 0, disabled],
    [
      'approved',
      account,
      [approved],
      0,
      { state: 'ENABLED', grants: [{ ...told(approved), activateBy: at(120), expiresAt: null }], removeNewPrivileged: true },
    ],
    ['approved, not made in time, not yet swept', account, [approved], 120, ending],
    ['active', account, [running], 60, { state: 'ENABLED', grants: [{ ...told(running), expiresAt: at(610) }] }],
    ['over, not yet swept', account, [running], 610, ending],
    ['ending', account, [active({ state: 'ENDING' })], 60, ending],
    ['ended', account, [active({ state: 'ENDED' })], 60, disabled],
    ['two: both', account, [running, newer], 60, { state: 'ENABLED', grants: [told(running), { ...told(newer), expiresAt: at(300) }] }],
    ['two, one is over: the other still lives', account, [running, newer], 300, { state: 'ENABLED', grants: [told(running)] }],
    ['rested', { ...account, absentSince: noon }, [], 0, { ...disabled, state: 'ABSENT' }],
    ['rested, then used again', { ...account, absentSince: noon }, [approved], 0, { state: 'ENABLED' }],
  ])('%s', (_, which, grants, seconds, expected) => {
    expect(desiredAccount(which, grants, at(seconds))).toMatchObject({
      id: account.id,
      name: 'jit-anna',
      displayName: 'Anna Berg',
      passwordLength: 24,
      ...expected,
    });
  });

  test.each<[DeviceGrant['state'][], number]>([
    [[], 60],
    [['ENDED', 'FAILED'], 60],
    [['APPROVED'], 30],
    [['ACTIVE'], 30],
    [['ENDED', 'END_STUCK'], 30],
  ])('grants %j: check in every %p s', (states, seconds) => {
    expect(checkInSeconds(states.map((state) => ({ state })))).toBe(seconds);
  });
});

describe('reports', () => {
  const grant = active();
  const report: AccountReport = { accountId: account.id, grantId: grant.id, state: 'ACTIVE', secondsAgo: 0 };
  const accounts = new Map([[account.id, account]]);
  const grants = new Map([[grant.id, grant]]);

  test.each<[string, number, AccountReport[], string | null]>([
    ['none', 0, [], null],
    ['a good one', 3, [report], null],
    ['without a grant', 3, [{ ...report, grantId: null }], null],
    ['a negative revision', -1, [], 'revision'],
    ['101 of them', 3, Array.from({ length: 101 }, () => report), 'reports'],
    ['a foreign account', 3, [report, { ...report, accountId: newId() }], 'reports.1.accountId'],
    ['nonsense for an account', 3, [{ ...report, accountId: "' or 1=1" }], 'reports.0.accountId'],
    ['a foreign grant', 3, [{ ...report, grantId: newId() }], 'reports.0.grantId'],
    ['time that runs backwards', 3, [{ ...report, secondsAgo: -1 }], 'reports.0.secondsAgo'],
    ['a name that is none', 3, [{ ...report, name: 'jit anna\n' }], 'reports.0.name'],
    ['an empty name', 3, [{ ...report, name: '' }], 'reports.0.name'],
    [
      'too many new administrators',
      3,
      [{ ...report, privileged: [{ groupName: 'sudo', added: Array.from({ length: 201 }, () => 'x'), removed: [] }] }],
      'reports.0.privileged',
    ],
  ])('%s', (_, revision, reports, field) => {
    const check = () => checkReports(revision, reports, accounts, grants);
    if (field === null) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ type: 'InvalidInput', fields: { field } }));
  });

  test.each<[string, Partial<AccountReport>, Pick<DeviceGrant, 'id' | 'state'>, object | null]>([
    ['active', {}, grant, { do: 'activate', secondsAgo: 0 }],
    ['active, of another grant', {}, active(), null],
    ['failed', { state: 'FAILED', detail: 'useradd: exit 1' }, { ...grant, state: 'APPROVED' }, { do: 'fail', why: 'useradd: exit 1' }],
    ['failed, but active before', { state: 'FAILED' }, grant, { do: 'see-ended', reason: null, revision: 3 }],
    ['failed says nothing of others', { state: 'FAILED' }, active({ state: 'ENDING' }), null],
    ['ended', { state: 'DISABLED' }, grant, { do: 'see-ended', reason: null, revision: 3 }],
    ['ended says nothing of others: the account may be enabled for them', { state: 'DISABLED', endReason: 'LOGGED_OFF' }, active(), null],
    [
      'the account as a whole proves the end of all',
      { grantId: null, state: 'DISABLED' },
      active({ state: 'ENDING' }),
      { do: 'see-ended', reason: null },
    ],
    [
      'the account as a whole ends nothing by itself',
      { grantId: null, state: 'DISABLED', endReason: 'LOGGED_OFF' },
      grant,
      { do: 'see-ended', reason: null },
    ],
    ['ended by the agent', { state: 'DISABLED', endReason: 'IDLE' }, grant, { do: 'see-ended', reason: 'IDLE' }],
    ['gone', { state: 'ABSENT', endReason: 'EXPIRED' }, grant, { do: 'see-ended', reason: 'EXPIRED' }],
    [
      'with new administrators, their names made printable',
      { state: 'DISABLED', privileged: [{ groupName: 'sudo', added: ['mal\u001blory'], removed: [] }] },
      grant,
      { privileged: [{ groupName: 'sudo', added: ['mal?lory'], removed: [] }] },
    ],
  ])('%s', (_, change, about, expected) => {
    const command = commandOf({ ...report, ...change }, about, 3);
    if (expected === null) expect(command).toBeNull();
    else expect(command).toMatchObject(expected);
  });

  test.each<[string, { accountId: string; name: string }[], string | null]>([
    ['none', [], null],
    ['one', [{ accountId: newId(), name: 'jit-old' }], null],
    ['no id', [{ accountId: 'x', name: 'jit-old' }], 'strays.0.accountId'],
    ['no name', [{ accountId: newId(), name: 'a b' }], 'strays.0.name'],
    ['101', Array.from({ length: 101 }, () => ({ accountId: newId(), name: 'x' })), 'strays'],
  ])('strays: %s', (_, strays, field) => {
    if (field === null) expect(() => checkStrays(strays)).not.toThrow();
    else expect(() => checkStrays(strays)).toThrow(expect.objectContaining({ type: 'InvalidInput', fields: { field } }));
  });

  test.each<[string | null, string]>([
    ['usermod: exit 6', 'usermod: exit 6'],
    ['two\nlines\u001b[31m', 'two lines [31m'],
    ['x'.repeat(600), 'x'.repeat(500)],
    ['', 'The computer could not make the account.'],
    [null, 'The computer could not make the account.'],
  ])('detail %j', (detail, expected) => {
    expect(failureText(detail)).toBe(expected);
  });
});
