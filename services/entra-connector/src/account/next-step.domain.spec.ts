import { describe, expect, it } from '@jest/globals';
import { addSeconds } from '@stint/kernel';
import type { RoleAssignment } from '../graph/roles.port.ts';
import type { EntraGrant } from '../grant/grant.domain.ts';
import type { EntraAccount, Sighting } from './account.domain.ts';
import { nextStep } from './next-step.domain.ts';
import type { Step } from './step.domain.ts';

const now = new Date('2026-11-23T12:00:00Z');
const before = (seconds: number) => addSeconds(now, -seconds);
const after = (seconds: number) => addSeconds(now, seconds);

function anAccount(change: Partial<EntraAccount> = {}): EntraAccount {
  return {
    ...{
      mspId: 'msp',
      tenantId: 'tenant',
      id: 'account',
      kind: 'JIT',
      technicianId: 'anna',
      marker: 'stintaaaaabbbbbb',
      objectId: 'object',
    },
    ...{ userPrincipalName: 'jit-anna@contoso.com', state: 'DISABLED', seenAt: null, createdAt: before(3600), rolesChangedAt: null },
    ...{
      prefix: 'jit-',
      nameAttempt: 0,
      creatingSince: null,
      mayBeEnabled: false,
      switchedAt: null,
      sessionsOpen: false,
      passwordKnown: false,
    },
    ...{
      removeNotBefore: null,
      purgeRefusedAt: null,
      restsSince: null,
      restDays: 30,
      discard: false,
      leftIn: null,
      problem: null,
      dueAt: now,
    },
    ...{ ending: false, failures: 0, changes: 0, fence: 1, leaseUntil: null },
    ...change,
  };
}

function aGrant(change: Partial<EntraGrant> = {}): EntraGrant {
  return {
    ...{
      mspId: 'msp',
      tenantId: 'tenant',
      id: 'grant',
      accountId: 'account',
      technicianId: 'anna',
      wanted: true,
      roleName: 'User Administrator',
    },
    ...{
      scope: '/',
      accountKind: 'JIT',
      reason: null,
      ticket: null,
      recipientKey: 'key',
      sessionSeconds: 3600,
      activateBy: after(300),
      expiresAt: null,
    },
    ...{ phase: 'BEGINNING', roleDefinitionId: 'role', endsByItself: false, credentialKind: 'TEMPORARY_ACCESS_PASS', passMinutes: 60 },
    ...{ passOnce: false, notice: null, assignAskedAt: null, assignmentKind: null, assignmentId: null, builtInEndsAt: null },
    ...{ credentialAt: null, passId: null, credentialEndsAt: null, enc: null, ciphertext: null, collectedAt: null, activeAt: null },
    ...{ endingSince: null, endedAt: null, stuckAt: null, failure: null, reportVersion: 0 },
    ...change,
  };
}

const role: RoleAssignment = {
  id: 'assignment',
  principalId: 'object',
  roleDefinitionId: 'role',
  scope: '/',
  kind: 'DIRECT',
  endsAt: null,
};
const pass = { id: 'pass', usable: true, usability: 'EnabledByPolicy' };
const given = {
  assignAskedAt: before(600),
  assignmentKind: 'LEASE',
  assignmentId: 'assignment',
  credentialAt: before(600),
  passId: 'pass',
} as const;
const anActive = (change: Partial<EntraGrant> = {}) => aGrant({ ...given, phase: 'ACTIVE', activeAt: before(600), ...change });
const anEnding = (change: Partial<EntraGrant> = {}) => anActive({ phase: 'ENDING', wanted: false, endingSince: before(5), ...change });

function seen(change: Partial<Sighting> & { enabled?: boolean; gone?: boolean } = {}): Sighting {
  const { enabled = true, gone = false, ...rest } = change;
  const user = gone ? null : { id: 'object', userPrincipalName: 'jit-anna@contoso.com', enabled, createdAt: before(3600) };
  return { user, inBin: false, roles: [], passes: [], fresh: true, doubt: null, lastAdministrator: false, ...rest };
}

const open = { mayBeEnabled: true, sessionsOpen: true, passwordKnown: true };
const closed = { restsSince: before(60) };

interface Row {
  when: string;
  account?: Partial<EntraAccount>;
  grants?: EntraGrant[];
  sighting: Sighting | null;
  inactive?: boolean;
  protectedBy?: string;
  then: Step['do'];
  until?: Date | null;
}

const beginnings: Row[] = [
  { when: 'nothing was looked at', grants: [aGrant()], sighting: null, then: 'LOOK' },
  { when: 'the role is not known', grants: [aGrant({ roleDefinitionId: null })], sighting: seen({ enabled: false }), then: 'CHECK' },
  { when: 'there is no account', account: { objectId: null }, grants: [aGrant()], sighting: seen({ gone: true }), then: 'CREATE_USER' },
  { when: 'the known account is gone', grants: [aGrant()], sighting: seen({ gone: true }), then: 'FORGET' },
  { when: 'the known account is in the recycle bin', grants: [aGrant()], sighting: seen({ gone: true, inBin: true }), then: 'PURGE_USER' },
  { when: 'the account is off', grants: [aGrant()], sighting: seen({ enabled: false }), then: 'ENABLE' },
  { when: 'somebody else has enabled it', grants: [aGrant()], sighting: seen(), then: 'ENABLE' },
  {
    when: 'it is on, and shown as off',
    account: { ...open, switchedAt: before(9) },
    grants: [aGrant()],
    sighting: seen({ enabled: false }),
    then: 'ISSUE_CREDENTIAL',
  },
  {
    when: 'it is shown as off for long',
    account: { ...open, switchedAt: before(61) },
    grants: [aGrant()],
    sighting: seen({ enabled: false }),
    then: 'ENABLE',
  },
  {
    when: 'all but the account is shown',
    ...{ account: { ...open, switchedAt: before(9) }, grants: [aGrant(given)] },
    ...{ sighting: seen({ enabled: false, roles: [role], passes: [pass] }), then: 'AWAIT' as const },
  },
  { when: 'there is no credential', account: open, grants: [aGrant()], sighting: seen(), then: 'ISSUE_CREDENTIAL' },
  {
    when: 'a pass of unknown value is there',
    account: open,
    grants: [aGrant()],
    sighting: seen({ passes: [pass] }),
    then: 'ISSUE_CREDENTIAL',
  },
  { when: 'there is no role', account: open, grants: [aGrant({ credentialAt: now })], sighting: seen(), then: 'ASSIGN_ROLE' },
  {
    when: 'the role was asked for, and not looked for',
    ...{
      account: open,
      grants: [aGrant({ credentialAt: now, assignAskedAt: before(2) })],
      sighting: seen({ fresh: false }),
      then: 'LOOK' as const,
    },
  },
  {
    when: 'the role does not show',
    account: open,
    grants: [aGrant({ credentialAt: now, assignAskedAt: before(2) })],
    sighting: seen(),
    then: 'AWAIT',
  },
  {
    when: 'it does not show for long',
    account: open,
    grants: [aGrant({ credentialAt: now, assignAskedAt: before(31) })],
    sighting: seen(),
    then: 'ASSIGN_ROLE',
  },
  {
    when: 'the role shows',
    account: open,
    grants: [aGrant({ credentialAt: now, assignAskedAt: before(2) })],
    sighting: seen({ roles: [role] }),
    then: 'NOTE_ROLE',
  },
  {
    when: 'not all was read back',
    account: open,
    grants: [aGrant(given)],
    sighting: seen({ roles: [role], passes: [pass], fresh: false }),
    then: 'LOOK',
  },
  { when: 'the pass is not shown', account: open, grants: [aGrant(given)], sighting: seen({ roles: [role] }), then: 'AWAIT' },
  {
    when: 'all was read back',
    account: open,
    grants: [aGrant(given)],
    sighting: seen({ roles: [role], passes: [pass] }),
    then: 'ACTIVATE',
  },
  {
    when: 'the technician is off, and nothing was given',
    account: { objectId: null },
    grants: [aGrant()],
    sighting: null,
    inactive: true,
    then: 'CONCLUDE',
  },
  {
    when: 'it is too late, and nothing was given',
    account: { objectId: null },
    grants: [aGrant({ activateBy: now })],
    sighting: null,
    then: 'CONCLUDE',
  },
  {
    when: 'it is too late, and an account may be there',
    account: { objectId: null, creatingSince: before(9) },
    grants: [aGrant({ activateBy: now })],
    sighting: null,
    then: 'LOOK',
  },
];

const lasting: Row[] = [
  {
    when: 'all is well',
    account: open,
    grants: [anActive()],
    sighting: seen({ roles: [role], passes: [pass] }),
    then: 'REST',
    until: after(3000),
  },
  {
    when: 'another role was added',
    account: open,
    grants: [anActive()],
    sighting: seen({ roles: [role, { ...role, roleDefinitionId: 'other' }] }),
    then: 'REMOVE_ROLE',
  },
  {
    when: 'a new credential is wanted',
    account: open,
    grants: [anActive({ credentialAt: null })],
    sighting: seen({ roles: [role] }),
    then: 'ISSUE_CREDENTIAL',
  },
  {
    when: 'somebody has switched it off',
    account: open,
    grants: [anActive()],
    sighting: seen({ enabled: false, roles: [role] }),
    then: 'FAIL',
  },
  {
    when: 'that is perhaps shown late',
    account: open,
    grants: [anActive({ activeAt: before(20) })],
    sighting: seen({ enabled: false, roles: [role] }),
    then: 'AWAIT',
  },
  { when: 'somebody has taken the role away', account: open, grants: [anActive()], sighting: seen(), then: 'FAIL' },
  { when: 'somebody has deleted it', account: open, grants: [anActive()], sighting: seen({ gone: true }), then: 'FAIL' },
  {
    when: 'it was extended',
    ...{ account: open, grants: [anActive({ assignmentKind: 'SCHEDULE', expiresAt: after(7200) })] },
    ...{ sighting: seen({ roles: [{ ...role, kind: 'SCHEDULED', endsAt: after(3000) }] }), then: 'CHANGE_END' as const },
  },
  {
    when: 'the end is as it should be',
    ...{ account: open, grants: [anActive({ assignmentKind: 'SCHEDULE' })] },
    ...{ sighting: seen({ roles: [{ ...role, kind: 'SCHEDULED', endsAt: after(3010) }] }), then: 'REST' as const, until: after(3000) },
  },
  {
    when: 'another grant on it is over',
    ...{ account: open, grants: [anActive(), anEnding({ id: 'other', roleDefinitionId: 'other' })] },
    ...{ sighting: seen({ roles: [role, { ...role, id: 'second', roleDefinitionId: 'other' }] }), then: 'REMOVE_ROLE' as const },
  },
  {
    when: 'another grant of the same role is over',
    ...{ account: open, grants: [anActive(), anEnding({ id: 'other' })], sighting: seen({ roles: [role] }), then: 'CONCLUDE' as const },
  },
];

const endings: Row[] = [
  {
    when: 'the role is there',
    account: open,
    grants: [anEnding()],
    sighting: seen({ roles: [role], passes: [pass] }),
    then: 'REMOVE_ROLE',
  },
  {
    when: 'the time is over, whatever services/jit-policy says',
    account: open,
    grants: [anActive({ activeAt: before(3600) })],
    sighting: seen({ roles: [role] }),
    then: 'REMOVE_ROLE',
  },
  {
    when: 'the technician was switched off',
    account: open,
    grants: [anActive()],
    sighting: seen({ roles: [role] }),
    inactive: true,
    then: 'REMOVE_ROLE',
  },
  { when: 'the role is gone', account: open, grants: [anEnding()], sighting: seen({ passes: [pass], fresh: false }), then: 'DISABLE' },
  {
    when: 'the role cannot be taken yet',
    account: { ...open, removeNotBefore: after(9) },
    grants: [anEnding()],
    sighting: seen({ roles: [role] }),
    then: 'DISABLE',
  },
  { when: 'it is shown as off, and may be on', account: open, grants: [anEnding()], sighting: seen({ enabled: false }), then: 'DISABLE' },
  {
    when: 'it is off',
    account: { sessionsOpen: true },
    grants: [anEnding()],
    sighting: seen({ enabled: false, passes: [pass] }),
    then: 'DELETE_PASS',
  },
  {
    when: 'the pass is gone',
    account: { sessionsOpen: true, passwordKnown: true },
    grants: [anEnding()],
    sighting: seen({ enabled: false }),
    then: 'REVOKE_SESSIONS',
  },
  {
    when: 'the sessions are gone',
    account: { passwordKnown: true },
    grants: [anEnding()],
    sighting: seen({ enabled: false }),
    then: 'RESET_PASSWORD',
  },
  { when: 'all was done', grants: [anEnding()], sighting: seen({ enabled: false, fresh: false }), then: 'LOOK' },
  { when: 'it is off, and shown as on', account: { switchedAt: before(9) }, grants: [anEnding()], sighting: seen(), then: 'AWAIT' },
  { when: 'it is shown as on for long', account: { switchedAt: before(61) }, grants: [anEnding()], sighting: seen(), then: 'DISABLE' },
  { when: 'it was seen gone', grants: [anEnding()], sighting: seen({ enabled: false }), then: 'CONCLUDE' },
  {
    when: 'the role is still held',
    account: { removeNotBefore: after(9) },
    grants: [anEnding()],
    sighting: seen({ enabled: false, roles: [role] }),
    then: 'REST',
    until: after(9),
  },
  {
    when: 'nobody knows whether the role was given',
    ...{
      grants: [anEnding({ assignmentKind: null, assignAskedAt: before(100) })],
      sighting: seen({ enabled: false }),
      then: 'REST' as const,
      until: after(200),
    },
  },
  {
    when: 'nobody knows whether it was made',
    account: { objectId: null, creatingSince: before(100) },
    grants: [anEnding()],
    sighting: seen({ gone: true }),
    then: 'REST',
    until: after(200),
  },
  {
    when: 'it was not made, for certain',
    account: { objectId: null, creatingSince: before(300) },
    grants: [anEnding()],
    sighting: seen({ gone: true }),
    then: 'CONCLUDE',
  },
  {
    when: 'it is the last administrator',
    account: { sessionsOpen: true },
    grants: [anEnding()],
    sighting: seen({ roles: [role], lastAdministrator: true }),
    then: 'REVOKE_SESSIONS',
  },
  {
    when: 'nothing but the last administrator’s role is left',
    grants: [anEnding()],
    sighting: seen({ roles: [role], lastAdministrator: true }),
    then: 'REST',
    until: null,
  },
];

const rests: Row[] = [
  { when: 'it is unused', account: closed, sighting: seen({ enabled: false }), then: 'REST', until: after(30 * 86_400 - 60) },
  { when: 'somebody has enabled it', account: closed, sighting: seen(), then: 'DISABLE' },
  { when: 'somebody has given it a role', account: closed, sighting: seen({ enabled: false, roles: [role] }), then: 'REMOVE_ROLE' },
  {
    when: 'it has rested long enough',
    account: { restsSince: before(30 * 86_400) },
    sighting: seen({ enabled: false }),
    then: 'DELETE_USER',
  },
  { when: 'its connection ends', account: { ...closed, discard: true }, sighting: seen({ enabled: false }), then: 'DELETE_USER' },
  { when: 'it was deleted', account: closed, sighting: seen({ gone: true, inBin: true, fresh: false }), then: 'LOOK' },
  { when: 'it is in the recycle bin', account: closed, sighting: seen({ gone: true, inBin: true }), then: 'PURGE_USER' },
  {
    when: 'it may not be purged',
    account: { purgeRefusedAt: before(60) },
    sighting: seen({ gone: true, inBin: true }),
    then: 'REST',
    until: after(86_340),
  },
  { when: 'nothing of it is left', account: closed, sighting: seen({ gone: true }), then: 'FORGET' },
  { when: 'it was never made', account: { objectId: null }, sighting: null, then: 'REST', until: null },
];

const own = { kind: 'OWN', marker: null } as const;
const anOwn = (change: Partial<EntraGrant> = {}) => aGrant({ accountKind: 'OWN', credentialKind: null, ...change });
const onOwn: Row[] = [
  { when: 'there is no account', account: { ...own, objectId: null }, grants: [anOwn()], sighting: seen({ gone: true }), then: 'FAIL' },
  { when: 'it is switched off', account: own, grants: [anOwn()], sighting: seen({ enabled: false }), then: 'FAIL' },
  { when: 'it is protected', account: own, grants: [anOwn()], sighting: seen(), protectedBy: 'a break-glass account', then: 'FAIL' },
  { when: 'it may be somebody else’s', account: own, grants: [anOwn()], sighting: seen({ doubt: 'moved' }), then: 'FAIL' },
  {
    when: 'it has lost the address, and the role was asked for before',
    account: own,
    grants: [anOwn({ assignAskedAt: before(9), assignmentKind: 'LEASE' })],
    sighting: seen({ doubt: 'moved', roles: [role] }),
    then: 'ACTIVATE',
  },
  { when: 'there is no role', account: own, grants: [anOwn()], sighting: seen(), then: 'ASSIGN_ROLE' },
  { when: 'the role was there before', account: own, grants: [anOwn()], sighting: seen({ roles: [role] }), then: 'NOTE_ROLE' },
  {
    when: 'the role was read back',
    account: own,
    grants: [anOwn({ assignAskedAt: before(9), assignmentKind: 'LEASE' })],
    sighting: seen({ roles: [role] }),
    then: 'ACTIVATE',
  },
  { when: 'its other roles are none of ours', account: own, grants: [], sighting: seen({ roles: [role] }), then: 'REST', until: null },
  {
    when: 'our role is over',
    account: own,
    grants: [anEnding({ accountKind: 'OWN' })],
    sighting: seen({ roles: [role] }),
    then: 'REMOVE_ROLE',
  },
  {
    when: 'a role of unknown outcome is over',
    account: own,
    grants: [anEnding({ accountKind: 'OWN', assignmentKind: null })],
    sighting: seen({ roles: [role] }),
    then: 'REMOVE_ROLE',
  },
  {
    when: 'it was deleted, and our role would come back with it',
    account: own,
    grants: [anEnding({ accountKind: 'OWN' })],
    sighting: seen({ gone: true, roles: [role] }),
    then: 'REMOVE_ROLE',
  },
  {
    when: 'it was deleted, and Entra ends our role by itself',
    account: own,
    grants: [anEnding({ accountKind: 'OWN', assignmentKind: 'SCHEDULE', builtInEndsAt: after(60) })],
    sighting: seen({ gone: true, inBin: true, roles: [{ ...role, kind: 'SCHEDULED', endsAt: after(90) }] }),
    then: 'REST',
    until: after(60),
  },
  {
    when: 'it was deleted, and Entra lists nothing of it',
    account: own,
    grants: [anEnding({ accountKind: 'OWN', assignmentKind: 'SCHEDULE', builtInEndsAt: after(60) })],
    sighting: seen({ gone: true, inBin: true }),
    then: 'REST',
    until: after(60),
  },
  {
    when: 'it was deleted, and our role without an end is not listed',
    account: own,
    grants: [anEnding({ accountKind: 'OWN' })],
    sighting: seen({ gone: true, inBin: true }),
    then: 'REST',
    until: after(3_600),
  },
  {
    when: 'it was deleted before anybody saw the role that ends by itself',
    account: own,
    grants: [anEnding({ accountKind: 'OWN', assignmentKind: null, assignmentId: null, endsByItself: true })],
    sighting: seen({ gone: true, inBin: true }),
    then: 'REST',
    until: after(3_000),
  },
  {
    when: 'it was deleted, and the role has ended since',
    account: own,
    grants: [anEnding({ accountKind: 'OWN', assignmentKind: 'SCHEDULE', builtInEndsAt: before(1) })],
    sighting: seen({ gone: true, inBin: true, roles: [{ ...role, kind: 'SCHEDULED', endsAt: before(1) }] }),
    then: 'CONCLUDE',
  },
  {
    when: 'it was deleted after the role was taken away',
    account: own,
    grants: [anEnding({ accountKind: 'OWN', assignmentId: null })],
    sighting: seen({ gone: true, inBin: true }),
    then: 'CONCLUDE',
  },
  {
    when: 'it is gone for good',
    account: own,
    grants: [anEnding({ accountKind: 'OWN', assignmentKind: 'SCHEDULE', builtInEndsAt: after(60) })],
    sighting: seen({ gone: true }),
    then: 'CONCLUDE',
  },
  {
    when: 'it is not shown, and its role is',
    account: { ...own, removeNotBefore: before(60) },
    grants: [anEnding({ accountKind: 'OWN', assignmentKind: 'SCHEDULE', builtInEndsAt: after(60) })],
    sighting: seen({ gone: true, roles: [{ ...role, kind: 'SCHEDULED', endsAt: after(60) }] }),
    then: 'REST',
    until: null,
  },
  {
    when: 'it was deleted, with roles of its own',
    account: own,
    grants: [anEnding({ accountKind: 'OWN' })],
    sighting: seen({ gone: true, roles: [{ ...role, roleDefinitionId: 'another' }] }),
    then: 'CONCLUDE',
  },
  {
    when: 'the role stays that was there before',
    account: own,
    grants: [anEnding({ accountKind: 'OWN', assignmentKind: 'ALREADY', assignAskedAt: null })],
    sighting: seen({ roles: [role] }),
    then: 'CONCLUDE',
  },
];

function check({
  account,
  grants = [],
  sighting,
  inactive = false,
  protectedBy = null,
  then,
  until,
}: Omit<Row, 'protectedBy'> & { protectedBy?: string | null }): void {
  const step = nextStep({ account: anAccount(account), grants, technicianActive: !inactive, protectedBy, now }, sighting);
  expect(step.do).toBe(then);
  if (until !== undefined) expect(step.do === 'REST' ? step.until : undefined).toEqual(until);
}

describe('the next step', () => {
  it.each(beginnings)('of a beginning when $when: $then', check);
  it.each(lasting)('of an active grant when $when: $then', check);
  it.each(endings)('of an end when $when: $then', check);
  it.each(rests)('of an account at rest when $when: $then', check);
  it.each(onOwn)('on an account of one’s own when $when: $then', check);
});
