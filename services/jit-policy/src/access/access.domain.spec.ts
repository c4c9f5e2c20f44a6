import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { newId } from '@stint/kernel';
import { accessKinds, newRule, type AccessRule, type RuleInput } from '../access-rule/access-rule.domain.ts';
import { weekdays } from '../access-rule/hours.domain.ts';
import { decideAccess, sessionSecondsBy, type AccessFacts } from './access.domain.ts';

const [msp, region, customer, sibling] = [newId(), newId(), newId(), newId()];
const [seniors, nights, strangers, bosses] = [newId(), newId(), newId(), newId()];
// A Monday, 12:00 in Berlin.
const noon = new Date('2026-11-23T11:00:00Z');
const night = new Date('2026-11-23T22:00:00Z');
const office = { hours: [{ days: [...weekdays], from: '08:00', to: '18:00' }], timeZone: 'Europe/Berlin' };

function rule(tenantId: string, name: string, input: RuleInput = {}): AccessRule {
  return newRule({ mspId: msp, tenantId, id: newId() }, { kinds: ['LOCAL_ADMIN'], name, ...input });
}

interface Change {
  technician?: Partial<AccessFacts['technician']>;
  target?: Partial<AccessFacts['target']>;
  at?: Date;
}
function facts(rules: readonly AccessRule[], { technician, target, at = noon }: Change = {}): AccessFacts {
  return {
    at,
    technician: { active: true, assignments: [{ tenantId: msp, role: 'TECHNICIAN' }], groupIds: [seniors, nights], ...technician },
    target: { tenantPath: [msp, region, customer], kind: 'LOCAL_ADMIN', deviceTags: ['server', 'till'], entraRole: null, ...target },
    rules,
  };
}

const allow = (tenantId: string, name: string, input: RuleInput = {}) => rule(tenantId, name, input);
const deny = (tenantId: string, name: string, input: RuleInput = {}) => rule(tenantId, name, { ...input, effect: 'DENY' });
const entra = (...entraRoles: string[]): RuleInput => ({ kinds: ['ENTRA_ROLE'], entraRoles });
const asking = (entraRole: string | null): Change => ({ target: { kind: 'ENTRA_ROLE', deviceTags: [], entraRole } });

describe('which rule decides', () => {
  test.each<[string, AccessRule[], Change, string | null, boolean]>([
    ['none: denied', [], {}, null, false],
    ['one for everyone', [allow(msp, 'all')], {}, 'all', true],
    ['one of the target`s own tenant', [allow(customer, 'here')], {}, 'here', true],
    ['none of a tenant beside', [allow(sibling, 'there')], {}, null, false],
    ['none of a tenant below', [allow(customer, 'below')], { target: { tenantPath: [msp, region] } }, null, false],
    ['none that is switched off', [allow(msp, 'off', { enabled: false })], {}, null, false],
    ['none that denies and is switched off', [allow(msp, 'all'), deny(msp, 'off', { enabled: false })], {}, 'all', true],
    // Kinds
    ['none about another kind', [allow(msp, 'domain', { kinds: ['DOMAIN_ADMIN'] })], {}, null, false],
    [
      'one about several kinds',
      [allow(msp, 'both', { kinds: ['LOCAL_ADMIN', 'DOMAIN_ADMIN'] })],
      { target: { kind: 'DOMAIN_ADMIN' } },
      'both',
      true,
    ],
    ['a denial of another kind does not count', [allow(msp, 'all'), deny(msp, 'domain', { kinds: ['DOMAIN_ADMIN'] })], {}, 'all', true],
    // Entra roles
    ['a named Entra role', [allow(msp, 'desk', entra('Helpdesk Administrator'))], asking('Helpdesk Administrator'), 'desk', true],
    ['however it is written', [allow(msp, 'desk', entra('Helpdesk Administrator'))], asking(' helpdesk administrator'), 'desk', true],
    ['no other Entra role', [allow(msp, 'desk', entra('Helpdesk Administrator'))], asking('Global Administrator'), null, false],
    ['no Entra role without a name', [allow(msp, 'desk', entra('Helpdesk Administrator'))], asking(null), null, false],
    [
      'a denial of all Entra roles',
      [allow(msp, 'desk', entra('Reader')), deny(msp, 'none', { kinds: ['ENTRA_ROLE'] })],
      asking('Reader'),
      'none',
      false,
    ],
    [
      'a denial of another Entra role does not count',
      [allow(msp, 'desk', entra('Reader')), deny(msp, 'global', entra('Global Administrator'))],
      asking('Reader'),
      'desk',
      true,
    ],
    // Groups
    ['one of a group', [allow(msp, 'seniors', { groups: [seniors] })], {}, 'seniors', true],
    ['one of any of several groups', [allow(msp, 'some', { groups: [strangers, nights] })], {}, 'some', true],
    ['none of another group', [allow(msp, 'strangers', { groups: [strangers] })], {}, null, false],
    ['a group before everyone, allowing', [deny(msp, 'nobody'), allow(msp, 'seniors', { groups: [seniors] })], {}, 'seniors', true],
    ['a group before everyone, denying', [allow(msp, 'all'), deny(msp, 'not seniors', { groups: [seniors] })], {}, 'not seniors', false],
    [
      'of two groups the denying',
      [allow(msp, 'seniors', { groups: [seniors] }), deny(msp, 'nights', { groups: [nights] })],
      {},
      'nights',
      false,
    ],
    // Depth
    ['the deeper tenant, allowing', [deny(msp, 'msp'), allow(region, 'region')], {}, 'region', true],
    ['the deeper tenant, denying', [allow(msp, 'msp'), allow(region, 'region'), deny(customer, 'customer')], {}, 'customer', false],
    ['the deeper tenant before a group', [allow(msp, 'seniors', { groups: [seniors] }), deny(customer, 'customer')], {}, 'customer', false],
    ['but not one deeper on another branch', [allow(msp, 'msp'), deny(sibling, 'sibling')], {}, 'msp', true],
    // Tags
    ['a tag before none', [deny(msp, 'msp'), allow(msp, 'servers', { deviceTags: ['server'] })], {}, 'servers', true],
    ['a tag before a deeper tenant', [deny(msp, 'tills', { deviceTags: ['till'] }), allow(customer, 'customer')], {}, 'tills', false],
    [
      'a tag before a group',
      [allow(msp, 'seniors', { groups: [seniors] }), deny(msp, 'tills', { deviceTags: ['till'] })],
      {},
      'tills',
      false,
    ],
    ['any of several tags', [allow(msp, 'some', { deviceTags: ['laptop', 'till'] })], {}, 'some', true],
    ['none of other tags', [allow(msp, 'all'), deny(msp, 'laptops', { deviceTags: ['laptop'] })], {}, 'all', true],
    [
      'of two with tags the deeper',
      [deny(msp, 'msp', { deviceTags: ['server'] }), allow(customer, 'customer', { deviceTags: ['till'] })],
      {},
      'customer',
      true,
    ],
    [
      'of two with tags on one tenant the one with a group',
      [deny(msp, 'tag', { deviceTags: ['server'] }), allow(msp, 'both', { deviceTags: ['till'], groups: [seniors] })],
      {},
      'both',
      true,
    ],
    // Equals
    ['deny beats allow', [allow(msp, 'yes'), deny(msp, 'no')], {}, 'no', false],
    ['the stricter: more approvals', [allow(msp, 'two', { approvals: 2 }), allow(msp, 'one', { approvals: 1 })], {}, 'two', true],
    [
      'the stricter: particular approvers',
      [allow(msp, 'any', { approvals: 1 }), allow(msp, 'bosses', { approvals: 1, approverGroup: bosses })],
      {},
      'bosses',
      true,
    ],
    ['the stricter: a ticket', [allow(msp, 'none'), allow(msp, 'ticket', { requireTicket: true })], {}, 'ticket', true],
    ['the stricter: a reason', [allow(msp, 'none'), allow(msp, 'reason', { requireReason: true })], {}, 'reason', true],
    ['the stricter: shorter', [allow(msp, 'long'), allow(msp, 'short', { maxSeconds: 600 })], {}, 'short', true],
    [
      'but demands of a less specific rule do not add up',
      [allow(msp, 'strict', { approvals: 2, requireTicket: true }), allow(customer, 'easy')],
      {},
      'easy',
      true,
    ],
    // Hours
    ['within hours', [allow(msp, 'office', office)], {}, 'office', true],
    ['outside of hours: denied', [allow(msp, 'office', office)], { at: night }, 'office', false],
    [
      'a less specific rule does not lift the hours',
      [allow(msp, 'all'), allow(customer, 'office', office)],
      { at: night },
      'office',
      false,
    ],
    ['an equally specific one does', [allow(msp, 'office', office), allow(msp, 'night', { approvals: 1 })], { at: night }, 'night', true],
    ['and by day the stricter of both', [allow(msp, 'office', office), allow(msp, 'night', { approvals: 1 })], {}, 'night', true],
    ['a denial only at its hours', [allow(msp, 'all'), deny(customer, 'office', office)], { at: night }, 'all', true],
    ['a denial at its hours', [allow(msp, 'all'), deny(customer, 'office', office)], {}, 'office', false],
    ['a denial that is over does not count among equals', [allow(msp, 'all'), deny(msp, 'office', office)], { at: night }, 'all', true],
  ])('%s', (_, rules, change, name, allowed) => {
    const decision = decideAccess(facts(rules, change));
    expect([decision.ruleName, decision.allowed]).toEqual([name, allowed]);
    expect(decision.ruleId).toBe(rules.find((one) => one.name === name)?.id ?? null);
    expect(decideAccess(facts([...rules].reverse(), change))).toEqual(decision);
  });
});

describe('before any rule', () => {
  const rules = [allow(msp, 'all')];
  test.each<[string, Partial<AccessFacts['technician']>, boolean]>([
    ['a role at the MSP', {}, true],
    ['a role at the region', { assignments: [{ tenantId: region, role: 'TECHNICIAN' }] }, true],
    ['a role at the customer', { assignments: [{ tenantId: customer, role: 'ADMINISTRATOR' }] }, true],
    ['a role elsewhere', { assignments: [{ tenantId: sibling, role: 'ADMINISTRATOR' }] }, false],
    ['no role', { assignments: [] }, false],
    ['an auditor', { assignments: [{ tenantId: msp, role: 'AUDITOR' }] }, false],
    ['the help desk', { assignments: [{ tenantId: msp, role: 'HELPDESK' }] }, false],
    [
      'an auditor who is a technician at the customer',
      {
        assignments: [
          { tenantId: msp, role: 'AUDITOR' },
          { tenantId: customer, role: 'TECHNICIAN' },
        ],
      },
      true,
    ],
    ['switched off', { active: false }, false],
  ])('%s', (_, technician, allowed) => {
    const decision = decideAccess(facts(rules, { technician }));
    expect(decision.allowed).toBe(allowed);
    // Which rule it would be is told all the same.
    expect(decision.ruleName).toBe('all');
    if (!allowed) expect(decision.why).toMatch(technician.active === false ? /switched off/ : /no role/);
  });
});

describe('what it demands and explains', () => {
  test('the demands are those of the rule that decides', () => {
    const strict = allow(customer, 'strict', {
      maxSeconds: 7200,
      defaultSeconds: 900,
      requireReason: true,
      requireTicket: true,
      approvals: 2,
      approverGroup: bosses,
    });
    expect(decideAccess(facts([strict, allow(msp, 'all')]))).toMatchObject({
      allowed: true,
      ruleName: 'strict',
      maxSeconds: 7200,
      defaultSeconds: 900,
      requireReason: true,
      requireTicket: true,
      approvals: 2,
      approverGroupId: bosses,
    });
  });

  test('without a rule no second is allowed', () => {
    expect(decideAccess(facts([]))).toMatchObject({ allowed: false, maxSeconds: 0, why: 'No access rule allows this.' });
  });

  test('every rule with what became of it, the most specific first', () => {
    const tags = allow(msp, 'tags', { deviceTags: ['laptop'] });
    const decides = deny(customer, 'decides', { groups: [seniors] });
    const equal = allow(customer, 'equal', { groups: [nights] });
    const wide = allow(customer, 'wide');
    const high = allow(msp, 'high');
    const off = allow(msp, 'off', { enabled: false });
    const { considered, why } = decideAccess(facts([high, wide, off, equal, tags, decides]));
    expect(why).toBe('The access rule “decides” denies it.');
    expect(considered.map(({ name, verdict, why: because }) => [name, verdict, because])).toEqual(
      expect.arrayContaining([
        ['tags', 'DOES_NOT_APPLY', 'The device has none of its tags.'],
        ['decides', 'DECIDES', 'It denies access.'],
        ['equal', 'OVERRULED', '“decides” is as specific and denies.'],
        ['wide', 'OVERRULED', '“decides” names a group of the technician.'],
        ['high', 'OVERRULED', '“decides” is set on a tenant nearer to the target.'],
        ['off', 'DOES_NOT_APPLY', 'It is switched off.'],
      ]),
    );
    expect(considered.map(({ name }) => name).slice(0, 4)).toEqual(['tags', 'decides', 'equal', 'wide']);
  });

  test('hours are told in words', () => {
    expect(decideAccess(facts([allow(msp, 'office', office)], { at: night })).why).toBe(
      'The access rule “office” does not allow it now. It allows access only at certain hours: MON TUE WED THU FRI SAT SUN 08:00–18:00 (Europe/Berlin).',
    );
  });

  test.each([
    [null, 600, 3600, 600],
    [null, null, 3600, 3600],
    [null, null, 20_000, 7200],
    [300, 600, 3600, 300],
    [7201, 600, 3600, 7200],
  ])('asked for %s, default %s, of the tenant %s: %s seconds', (asked, defaultSeconds, ofTenant, expected) => {
    expect(sessionSecondsBy({ maxSeconds: 7200, defaultSeconds }, asked, ofTenant)).toBe(expected);
  });
});

describe('whatever the rules are', () => {
  const tenants = [msp, region, customer, sibling];
  const anyRule = fc
    .record({
      tenantId: fc.constantFrom(...tenants),
      name: fc.constantFrom('a', 'b', 'c'),
      effect: fc.constantFrom('ALLOW' as const, 'DENY' as const),
      enabled: fc.boolean(),
      groups: fc.subarray([seniors, nights, strangers]),
      deviceTags: fc.subarray(['server', 'till', 'laptop']),
      kinds: fc.subarray([...accessKinds], { minLength: 1 }),
      roles: fc.subarray(['Reader', 'Helpdesk Administrator'], { minLength: 1 }),
      maxSeconds: fc.constantFrom(600, 3600, 28_800),
      approvals: fc.constantFrom(0, 1, 2),
      requireReason: fc.boolean(),
      requireTicket: fc.boolean(),
      atOffice: fc.boolean(),
    })
    .map(({ tenantId, name, roles, atOffice, ...input }) =>
      rule(tenantId, name, {
        ...input,
        ...(input.kinds.includes('ENTRA_ROLE') && { entraRoles: roles }),
        ...(!input.kinds.some((kind) => kind !== 'ENTRA_ROLE') && { deviceTags: [] }),
        ...(atOffice && office),
      }),
    );
  const anyFacts = fc
    .record({
      rules: fc.array(anyRule, { maxLength: 8 }),
      kind: fc.constantFrom(...accessKinds),
      deviceTags: fc.subarray(['server', 'till', 'laptop']),
      groupIds: fc.subarray([seniors, nights, strangers]),
      tenantPath: fc.constantFrom([msp], [msp, region], [msp, region, customer]),
      at: fc.constantFrom(noon, night),
    })
    .map(({ rules, groupIds, at, ...target }) =>
      facts(rules, { at, technician: { groupIds }, target: { ...target, entraRole: target.kind === 'ENTRA_ROLE' ? 'Reader' : null } }),
    );

  test('their order never matters', () => {
    fc.assert(
      fc.property(
        anyFacts.chain((one) => fc.tuple(fc.constant(one), fc.shuffledSubarray([...one.rules], { minLength: one.rules.length }))),
        ([one, shuffled]) => expect(decideAccess({ ...one, rules: shuffled })).toEqual(decideAccess(one)),
      ),
    );
  });

  test('one more DENY never allows what was denied', () => {
    fc.assert(
      fc.property(anyFacts, anyRule, (one, added) => {
        const more = { ...one, rules: [...one.rules, { ...added, effect: 'DENY' as const }] };
        expect(decideAccess(more).allowed && !decideAccess(one).allowed).toBe(false);
      }),
    );
  });

  test('a DENY that names everything, on the target`s own tenant, denies', () => {
    fc.assert(
      fc.property(anyFacts, (one) => {
        const tags = one.target.deviceTags;
        const all = deny(one.target.tenantPath.at(-1) ?? msp, 'all', {
          groups: one.technician.groupIds,
          deviceTags: one.target.kind === 'ENTRA_ROLE' ? [] : tags,
          kinds: [one.target.kind],
        });
        // Without groups or tags to name it is less specific than rules that name some.
        fc.pre(one.technician.groupIds.length > 0 && (tags.length > 0 || one.target.kind === 'ENTRA_ROLE'));
        fc.pre(one.target.kind !== 'ENTRA_ROLE' || tags.length === 0);
        expect(decideAccess({ ...one, rules: [...one.rules, all] })).toMatchObject({ allowed: false });
      }),
    );
  });

  test('exactly one rule decides, or none and nothing is allowed', () => {
    fc.assert(
      fc.property(anyFacts, (one) => {
        const decision = decideAccess(one);
        const deciding = decision.considered.filter(({ verdict }) => verdict === 'DECIDES').map(({ ruleId }) => ruleId);
        expect(deciding).toEqual(decision.ruleId === null ? [] : [decision.ruleId]);
        expect(decision.considered).toHaveLength(one.rules.length);
        if (decision.allowed) expect(one.rules.find(({ id }) => id === decision.ruleId)).toMatchObject({ effect: 'ALLOW', enabled: true });
      }),
    );
  });
});
