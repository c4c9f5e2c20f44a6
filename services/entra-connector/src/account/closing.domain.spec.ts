import { describe, it } from '@jest/globals';
import { after, anActive, anEnding, before, check, closed, open, pass, role, seen, type Row } from '../testing/situations.ts';

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

describe('the next step', () => {
  it.each(endings)('of an end when $when: $then', check);
  it.each(rests)('of an account at rest when $when: $then', check);
});
