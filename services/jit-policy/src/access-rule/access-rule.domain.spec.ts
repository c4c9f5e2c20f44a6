import { describe, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { changedRule, firstRule, groupsNamed, newRule, ruleChanges, type RuleInput } from './access-rule.domain.ts';

const place = { mspId: newId(), tenantId: newId(), id: newId() };
const fine: RuleInput = { name: 'Servers', kinds: ['LOCAL_ADMIN'] };
const [seniors, bosses] = [newId(), newId()];
const monday = { days: ['MON' as const], from: '08:00', to: '18:00' };

describe('a new rule', () => {
  test('needs a name and a kind; all else has a default', () => {
    expect(newRule(place, fine)).toEqual({
      ...place,
      name: 'Servers',
      effect: 'ALLOW',
      enabled: true,
      groups: [],
      deviceTags: [],
      kinds: ['LOCAL_ADMIN'],
      entraRoles: [],
      maxSeconds: 28_800,
      defaultSeconds: null,
      requireReason: false,
      requireTicket: false,
      approvals: 0,
      approverGroup: null,
      hours: { ranges: [], timeZone: null },
    });
  });

  test('is normalised', () => {
    expect(
      newRule(place, {
        ...fine,
        name: ' Zoe\u0308 ',
        groups: [seniors, seniors],
        deviceTags: [' Server ', 'server'],
        kinds: ['ENTRA_ROLE', 'LOCAL_ADMIN', 'LOCAL_ADMIN'],
        entraRoles: [' Helpdesk Administrator '],
      }),
    ).toMatchObject({
      name: 'Zoë',
      groups: [seniors],
      deviceTags: ['server'],
      kinds: ['LOCAL_ADMIN', 'ENTRA_ROLE'],
      entraRoles: ['Helpdesk Administrator'],
    });
  });

  test.each<[string, RuleInput, string]>([
    ['no name', { name: ' ' }, 'name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'name'],
    ['an invisible name', { name: 'a\u202eb' }, 'name'],
    ['no kind', { kinds: [] }, 'kinds'],
    ['a group that is no id', { groups: [seniors, 'x'] }, 'groups.1'],
    ['too many groups', { groups: Array.from({ length: 21 }, newId) }, 'groups'],
    ['a tag with a blank', { deviceTags: ['a b'] }, 'deviceTags.0'],
    ['an empty tag', { deviceTags: ['server', ''] }, 'deviceTags.1'],
    ['too many tags', { deviceTags: Array.from({ length: 21 }, (_, index) => `t${index}`) }, 'deviceTags'],
    ['tags for Entra roles alone', { kinds: ['ENTRA_ROLE'], entraRoles: ['Reader'], deviceTags: ['a'] }, 'deviceTags'],
    ['Entra roles without the kind', { entraRoles: ['Reader'] }, 'entraRoles'],
    ['the kind without Entra roles', { kinds: ['ENTRA_ROLE'] }, 'entraRoles'],
    ['an unreadable Entra role', { kinds: ['ENTRA_ROLE'], entraRoles: ['a\u0000'] }, 'entraRoles.0'],
    ['59 seconds', { maxSeconds: 59 }, 'maxSeconds'],
    ['more than 8 hours', { maxSeconds: 28_801 }, 'maxSeconds'],
    ['half a second', { maxSeconds: 60.5 }, 'maxSeconds'],
    ['a default of 59 seconds', { defaultSeconds: 59 }, 'defaultSeconds'],
    ['a default above the longest', { maxSeconds: 600, defaultSeconds: 601 }, 'defaultSeconds'],
    ['less than no approval', { approvals: -1 }, 'approvals'],
    ['six approvals', { approvals: 6 }, 'approvals'],
    ['approvers without approvals', { approverGroup: bosses }, 'approverGroup'],
    ['approvers that are no id', { approvals: 1, approverGroup: 'x' }, 'approverGroup'],
    ['hours without a zone', { hours: [monday] }, 'timeZone'],
    ['a zone without hours', { timeZone: 'Europe/Berlin' }, 'timeZone'],
  ])('%s is refused', (_, change, field) => {
    expect(() => newRule(place, { ...fine, ...change })).toThrow(expect.objectContaining({ type: 'InvalidInput', fields: { field } }));
  });

  test('one that denies a kind needs no names of Entra roles: it denies them all', () => {
    expect(newRule(place, { ...fine, effect: 'DENY', kinds: ['ENTRA_ROLE'] })).toMatchObject({ entraRoles: [] });
  });

  test('the first one of an MSP lets every technician be a local administrator', () => {
    expect(firstRule(place)).toMatchObject({ effect: 'ALLOW', groups: [], kinds: ['LOCAL_ADMIN'], approvals: 0, maxSeconds: 28_800 });
  });
});

describe('a change', () => {
  const rule = newRule(place, {
    ...fine,
    groups: [seniors],
    approvals: 1,
    approverGroup: bosses,
    hours: [monday],
    timeZone: 'Europe/Berlin',
    defaultSeconds: 600,
  });

  test('leaves alone what it does not name', () => {
    expect(changedRule(rule, {})).toEqual(rule);
    expect(changedRule(rule, { name: 'Other' })).toEqual({ ...rule, name: 'Other' });
    expect(changedRule(rule, { name: null, groups: null, maxSeconds: null })).toEqual(rule);
  });

  test('takes away by null and by an empty list', () => {
    expect(changedRule(rule, { defaultSeconds: null, groups: [], hours: [], approvals: 0, approverGroup: null })).toMatchObject({
      defaultSeconds: null,
      groups: [],
      hours: { ranges: [], timeZone: null },
      approverGroup: null,
    });
    expect(changedRule(rule, { hours: null })).toMatchObject({ hours: { ranges: [], timeZone: null } });
  });

  test('the zone changes alone', () => {
    expect(changedRule(rule, { timeZone: 'UTC' }).hours).toEqual({ ranges: [monday], timeZone: 'UTC' });
  });

  test('is checked as a whole', () => {
    expect(() => changedRule(rule, { approvals: 0 })).toThrow(expect.objectContaining({ fields: { field: 'approverGroup' } }));
    expect(() => changedRule(rule, { maxSeconds: 300 })).toThrow(expect.objectContaining({ fields: { field: 'defaultSeconds' } }));
  });

  test('in the log: what was added and removed, old and new', () => {
    const next = changedRule(rule, { groups: [bosses], maxSeconds: 3600, hours: null, requireReason: true });
    expect(ruleChanges(rule, next)).toEqual({
      'groups.removed': seniors,
      'groups.added': bosses,
      'maxSeconds.old': 28_800,
      'maxSeconds.new': 3600,
      'requireReason.old': false,
      'requireReason.new': true,
      'hours.old': 'MON 08:00–18:00 (Europe/Berlin)',
      'hours.new': 'always',
    });
    expect(ruleChanges(rule, rule)).toEqual({});
    expect(ruleChanges(null, firstRule(place))).toMatchObject({ name: 'Technicians: local administrator', 'kinds.added': 'LOCAL_ADMIN' });
    expect(ruleChanges(rule, null)).toMatchObject({ name: 'Servers', 'groups.removed': seniors, approvals: 1 });
  });

  test('the log`s words always fit into a message', () => {
    const huge: RuleInput = {
      name: '€'.repeat(100),
      groups: Array.from({ length: 20 }, newId),
      deviceTags: Array.from({ length: 20 }, (_, index) => `${index}-`.padEnd(40, 'x')),
      kinds: ['LOCAL_ADMIN', 'ENTRA_ROLE'],
      entraRoles: Array.from({ length: 20 }, (_, index) => `${index} ${'€'.repeat(97)}`),
    };
    const other = { ...huge, groups: Array.from({ length: 20 }, newId), entraRoles: [`x${'€'.repeat(98)}`], deviceTags: [] };
    const changes = ruleChanges(newRule(place, huge), newRule(place, other));
    expect(Buffer.byteLength(JSON.stringify(changes))).toBeLessThan(3_301);
    expect(Object.keys(changes)).toContain('groups.added');
  });
});

test('the groups that a rule names, each once', () => {
  expect(groupsNamed({ groups: [seniors, bosses], approverGroup: bosses })).toEqual([seniors, bosses]);
  expect(groupsNamed({ groups: [], approverGroup: null })).toEqual([]);
});
