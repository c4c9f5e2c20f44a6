import { describe, it } from '@jest/globals';
import type { EntraGrant } from '../grant/grant.domain.ts';
import { aGrant, after, anEnding, before, check, role, seen, type Row } from '../testing/situations.ts';

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

describe('the next step', () => {
  it.each(onOwn)('on an account of one’s own when $when: $then', check);
});
