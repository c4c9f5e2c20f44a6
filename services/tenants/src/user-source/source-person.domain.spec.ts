import { describe, expect, test } from '@jest/globals';
import { maxAssignments, maxGroupsOfTechnician, type SourceRole } from '@stint/contracts';
import { newId } from '@stint/kernel';
import { fitting, mayTakeAddress, type AddressAnswer, type AddressHolder } from './source-person.domain.ts';

describe('an address goes to whom the source says has it', () => {
  const [own, other] = [newId(), newId()];
  const holder = (technicianId: string, more: Partial<AddressHolder> = {}) => ({ technicianId, sourced: true, claims: true, ...more });
  test.each<[string, AddressHolder | null, string | null, AddressAnswer]>([
    ['nobody has it', null, null, 'FREE'],
    ['it is their own already', holder(own), own, 'FREE'],
    ['its holder is there and it is theirs in the source too', holder(other), own, 'TAKEN'],
    ['the same, for somebody new', holder(other), null, 'TAKEN'],
    ['its holder has another one by now, or is gone', holder(other, { claims: false }), own, 'PARK'],
    ['the same, for somebody new', holder(other, { claims: false }), null, 'PARK'],
    ['its holder is local', holder(other, { sourced: false, claims: false }), null, 'LOCAL'],
    ['its holder is local, for somebody who is here', holder(other, { sourced: false, claims: false }), own, 'LOCAL'],
  ])('%s', (_, who, technicianId, answer) => {
    expect(mayTakeAddress(who, technicianId)).toBe(answer);
  });
});

describe('groups and roles', () => {
  const ids = Array.from({ length: maxGroupsOfTechnician }, newId).sort();
  const roles: SourceRole[] = ['TECHNICIAN', 'AUDITOR'];
  const known = { groupIds: ids, localGroups: 0, localRoles: 0 };
  test('are given in one order, whatever order they were told in', () => {
    expect(fitting({ groupIds: ids.toReversed(), roles }, known)).toEqual({
      groupIds: ids,
      roles: ['AUDITOR', 'TECHNICIAN'],
      conflict: null,
    });
  });
  test('that are not here are waited for', () => {
    const given = fitting({ groupIds: ids.slice(0, 3), roles }, { ...known, groupIds: ids.slice(0, 2) });
    expect(given).toMatchObject({ groupIds: ids.slice(0, 2), conflict: 'GROUP_UNKNOWN' });
  });
  test.each([
    ['groups', { localGroups: 3 }, maxGroupsOfTechnician - 3, 2],
    ['more groups than there can be', { localGroups: maxGroupsOfTechnician + 1 }, 0, 2],
    ['roles', { localRoles: maxAssignments - 1 }, maxGroupsOfTechnician, 1],
  ])('beside %s that people gave are as many as fit', (_, local, groups, given) => {
    const answer = fitting({ groupIds: ids, roles }, { ...known, ...local });
    expect([answer.groupIds.length, answer.roles.length, answer.conflict]).toEqual([groups, given, 'LIMIT']);
  });
});
