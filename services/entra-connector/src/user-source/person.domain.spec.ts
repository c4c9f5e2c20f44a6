import { describe, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import {
  addressOf,
  afterChange,
  changeOf,
  nameOf,
  wantedOf,
  type ChangeKind,
  type ChosenGroup,
  type PersonFacts,
  type Wanted,
} from './person.domain.ts';

const [first, second] = [newId(), newId()].sort() as [string, string];
const chosen: ChosenGroup[] = [
  { groupId: 'g1', label: 'Tier 1', technicianGroupId: second, role: 'HELPDESK' },
  { groupId: 'g2', label: 'Tier 2', technicianGroupId: first, role: 'TECHNICIAN' },
  { groupId: 'g3', label: 'Readers', technicianGroupId: first, role: null },
];
const facts: PersonFacts = {
  mail: 'Anna@Example.com',
  upn: 'anna@northwind.example',
  name: 'Anna',
  enabled: true,
  guest: false,
  stint: false,
};
const told: Wanted = { email: 'anna@example.com', displayName: 'Anna', present: true, groupIds: [second], roles: ['HELPDESK'] };
const off: Wanted = { ...told, present: false, groupIds: [], roles: [] };

describe('what a person must be', () => {
  test.each<
    [
      string,
      { facts?: Partial<PersonFacts> | null; deleted?: boolean; groupIds?: string[]; isProtected?: boolean; told?: Wanted | null },
      Partial<Wanted> | null,
      string | null,
    ]
  >([
    ['in one group', {}, { email: 'anna@example.com', present: true, groupIds: [second], roles: ['HELPDESK'] }, null],
    [
      'in several: each technician group and role once',
      { groupIds: ['g3', 'g1', 'g2'] },
      { groupIds: [first, second], roles: ['TECHNICIAN', 'HELPDESK'] },
      null,
    ],
    ['without mail: the user principal name', { facts: { mail: null } }, { email: 'anna@northwind.example' }, null],
    ['with a mail that is no address here: the same', { facts: { mail: 'änna@example.com' } }, { email: 'anna@northwind.example' }, null],
    ['without any address', { facts: { mail: null, upn: 'anna' } }, null, 'NO_ADDRESS'],
    [
      'without any address any more: the last one stays',
      { facts: { mail: null, upn: 'anna' }, told },
      { email: told.email, present: true },
      null,
    ],
    ['disabled, not known', { facts: { enabled: false } }, null, 'DISABLED'],
    ['disabled, known', { facts: { enabled: false }, told }, off, 'DISABLED'],
    ['a guest', { facts: { guest: true } }, null, 'GUEST'],
    ['a break-glass account', { isProtected: true }, null, 'BREAK_GLASS'],
    ['a break-glass account that was a technician before', { isProtected: true, told }, off, 'BREAK_GLASS'],
    ['an account that Stint made', { facts: { stint: true, guest: true } }, null, 'STINT_ACCOUNT'],
    ['deleted', { deleted: true, told }, off, null],
    ['in no chosen group', { groupIds: ['other'], told }, off, null],
    ['not found by a reading', { facts: null, groupIds: [], told }, off, null],
    ['not found and never known', { facts: null, groupIds: [] }, null, null],
  ])('%s', (_, person, wanted, why) => {
    const given = {
      facts: person.facts === null ? null : { ...facts, ...person.facts },
      deleted: person.deleted ?? false,
      groupIds: person.groupIds ?? ['g1'],
      isProtected: person.isProtected ?? false,
    };
    const answer = wantedOf(given, chosen, person.told ?? null);
    expect(answer.why).toBe(why);
    if (wanted === null) expect(answer.wanted).toBeNull();
    else expect(answer.wanted).toMatchObject(wanted);
  });
});

describe('what a change is', () => {
  test.each<[string, Wanted | null, Wanted | null, ChangeKind]>([
    ['nobody stays nobody', null, null, 'SAME'],
    ['somebody new', null, told, 'ADDED'],
    ['nothing', told, { ...told }, 'SAME'],
    ['another name', told, { ...told, displayName: 'Anne' }, 'CHANGED'],
    ['another group', told, { ...told, groupIds: [first] }, 'CHANGED'],
    ['another role', told, { ...told, roles: [] }, 'CHANGED'],
    ['gone', told, off, 'LEAVES'],
    ['still gone', off, off, 'SAME'],
    ['back', off, told, 'RETURNS'],
  ])('%s', (_, before, wanted, kind) => {
    expect(changeOf(before, wanted, null)).toBe(kind);
  });
  test('somebody who does not come is skipped, with the reason', () => {
    expect(changeOf(null, null, 'GUEST')).toBe('SKIPPED');
    expect(changeOf(told, off, 'GUEST')).toBe('LEAVES');
  });
});

test('a delta changes what it tells and nothing else', () => {
  expect(afterChange(facts, { id: 'x', removed: false, enabled: false })).toEqual({ ...facts, enabled: false });
  expect(
    afterChange(facts, { id: 'x', removed: false, email: null, displayName: 'Anne', userType: 'GUEST', marker: 'stintabcdefghijk' }),
  ).toEqual({
    ...facts,
    ...{ mail: null, name: 'Anne', guest: true, stint: true },
  });
});

describe('names', () => {
  test.each([
    ['Žofie Ängström', 'Žofie Ängström'],
    ['A\u030Angstro\u0308m', 'Ångström'],
    ['  山田 太郎\u200B\u202E ', '山田 太郎'],
    ['\u0000\n', 'anna'],
    ['', 'anna'],
    ['x'.repeat(300), 'x'.repeat(100)],
    [`${'x'.repeat(99)}😀`, 'x'.repeat(99)],
  ])('%j is shown as %j', (name, shown) => {
    expect(nameOf(name, 'anna@example.com')).toBe(shown);
  });
  test('addresses are in lower case', () => {
    expect(addressOf(facts)).toBe('anna@example.com');
  });
});
