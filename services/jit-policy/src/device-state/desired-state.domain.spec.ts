import { describe, expect, test } from '@jest/globals';
import { addSeconds, newId } from '@stint/kernel';
import { approvedGrant, type Grant } from '../grant/grant.domain.ts';
import { checkInSeconds, desiredAccount, enablingGrant, type Account } from './desired-state.domain.ts';
import { checkReports, commandOf, failureText, type AccountReport } from './report.domain.ts';

const noon = new Date('2026-11-23T12:00:00Z');
const at = (seconds: number) => addSeconds(noon, seconds);
const account: Account = {
  mspId: newId(),
  tenantId: newId(),
  id: newId(),
  deviceId: newId(),
  technicianId: newId(),
  name: 'jit-anna',
  displayName: 'Anna Berg',
  passwordLength: 24,
  lastUsedAt: noon,
  absentSince: null,
  removedAt: null,
};
function aGrant(change: Partial<Grant> = {}): Grant {
  const { mspId, tenantId, deviceId, technicianId } = account;
  const about = {
    mspId,
    tenantId,
    deviceId,
    technicianId,
    id: newId(),
    loginRequestId: newId(),
    accountId: account.id,
    accountName: account.name,
  };
  return { ...approvedGrant({ ...about, reason: null, ticket: null, sessionSeconds: 600, approval: null, ruleId: null, ruleName: null, maxSeconds: 28_800 }, noon), ...change };
}
const active = (change: Partial<Grant> = {}) => aGrant({ state: 'ACTIVE', activeAt: at(10), expiresAt: at(610), ...change });

describe('what an account must look like', () => {
  const approved = aGrant();
  const running = active();
  const newer = active({ expiresAt: at(300) });
  const disabled = { state: 'DISABLED', grantId: null, loginRequestId: null, sessionSeconds: null, activateBy: null, expiresAt: null };
  test.each<[string, Account, Grant[], number, object]>([
    ['no grant', account, [], 0, disabled],
    [
      'approved',
      account,
      [approved],
      0,
      {
        state: 'ENABLED',
        grantId: approved.id,
        loginRequestId: approved.loginRequestId,
        sessionSeconds: 600,
        activateBy: at(120),
        expiresAt: null,
      },
    ],
    ['approved, not made in time, not yet swept', account, [approved], 120, disabled],
    ['active', account, [running], 60, { state: 'ENABLED', grantId: running.id, expiresAt: at(610) }],
    ['over, not yet swept', account, [running], 610, disabled],
    ['ending', account, [active({ state: 'ENDING' })], 60, disabled],
    ['two: the newest', account, [running, newer], 60, { grantId: newer.id, expiresAt: at(300) }],
    ['two, the newest over: the other still lives', account, [running, newer], 300, { state: 'ENABLED', grantId: running.id }],
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

  test('nothing enables an account without a live grant', () => {
    expect(enablingGrant([], noon)).toBeNull();
  });

  test.each<[Grant['state'][], number]>([
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
  const older = active();
  const grant = active();
  const later = active();
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
  ])('%s', (_, revision, reports, field) => {
    const check = () => checkReports(revision, reports, accounts, grants);
    if (field === null) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ type: 'InvalidInput', fields: { field } }));
  });

  test.each<[string, Partial<AccountReport>, Pick<Grant, 'id' | 'state'>, object | null]>([
    ['active', {}, grant, { do: 'activate', secondsAgo: 0 }],
    ['active, of another grant', {}, active(), null],
    ['failed', { state: 'FAILED', detail: 'useradd: exit 1' }, { ...grant, state: 'APPROVED' }, { do: 'fail', why: 'useradd: exit 1' }],
    ['failed, but active before', { state: 'FAILED' }, grant, { do: 'see-disabled', reason: null, revision: 3 }],
    [
      'failed proves the end of others',
      { state: 'FAILED' },
      active({ state: 'ENDING' }),
      { do: 'see-disabled', reason: null, revision: 3 },
    ],
    ['disabled', { state: 'DISABLED' }, grant, { do: 'see-disabled', reason: null, revision: 3 }],
    [
      'disabled proves the end of others, too',
      { state: 'DISABLED', endReason: 'EXPIRED' },
      active({ state: 'ENDING' }),
      { do: 'see-disabled', reason: null },
    ],
    ['disabled by the agent', { state: 'DISABLED', endReason: 'EXPIRED' }, grant, { do: 'see-disabled', reason: 'EXPIRED' }],
    ['gone', { state: 'ABSENT', endReason: 'EXPIRED' }, grant, { do: 'see-disabled', reason: 'EXPIRED' }],
    [
      'a log-off ends what was active on the account before',
      { state: 'DISABLED', endReason: 'LOGGED_OFF' },
      older,
      { do: 'see-disabled', reason: 'LOGGED_OFF' },
    ],
    ['but nothing later', { state: 'DISABLED', endReason: 'LOGGED_OFF' }, later, { do: 'see-disabled', reason: null }],
    [
      'nor what is only approved',
      { state: 'DISABLED', endReason: 'LOGGED_OFF' },
      { ...older, state: 'APPROVED' },
      { do: 'see-disabled', reason: null },
    ],
  ])('%s', (_, change, about, expected) => {
    const command = commandOf({ ...report, ...change }, about, 3);
    if (expected === null) expect(command).toBeNull();
    else expect(command).toMatchObject(expected);
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
