import { describe, it } from '@jest/globals';
import { aGrant, after, anActive, anEnding, before, check, given, now, open, pass, role, seen, type Row } from '../testing/situations.ts';

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

describe('the next step', () => {
  it.each(beginnings)('of a beginning when $when: $then', check);
  it.each(lasting)('of an active grant when $when: $then', check);
});
