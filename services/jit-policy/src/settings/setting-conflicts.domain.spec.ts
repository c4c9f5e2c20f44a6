import { describe, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { refuseConflicts, settingProblems, type Surroundings } from './setting-conflicts.domain.ts';
import { passwordEntropyBits } from './password-entropy.ts';
import { changeSettings, effectiveSettings, type EffectiveSettings, type OwnSettings, type SettingsPatch } from './settings.domain.ts';

const [msp, customer] = [newId(), newId()];
const controllers = [{ domain: 'corp.example.com', makesAccounts: true }];
const around = (change: Partial<Surroundings> = {}): Surroundings => ({
  ...{ isMsp: false, controllers, domains: ['corp.example.com'] },
  ...change,
});
const effective = (above: OwnSettings, own: OwnSettings) =>
  effectiveSettings(
    [msp, customer],
    new Map([
      [msp, above],
      [customer, own],
    ]),
  );
const change = (above: OwnSettings, before: OwnSettings, patch: SettingsPatch, surroundings: Surroundings) => {
  const { own, changes } = changeSettings(before, patch);
  refuseConflicts(effective(above, own), changes, surroundings);
};

const problemsOf = (values: EffectiveSettings, surroundings: Surroundings) =>
  settingProblems(values, surroundings, passwordEntropyBits(values));

const groups = { domainAdminGroups: ['Workstation Admins'] };
const mspAround = around({ isMsp: true, controllers: [], domains: [] });

describe('a change is refused', () => {
  test.each<[string, OwnSettings, OwnSettings, SettingsPatch, Surroundings, object]>([
    ['a prefix that a LAPS account has', {}, {}, { accountNamePrefix: 'stint-' }, around(), { field: 'accountNamePrefix' }],
    ['the same on the MSP', {}, {}, { accountNamePrefix: 's' }, mspAround, { field: 'accountNamePrefix' }],
    ['a LAPS account with the prefix', {}, {}, { lapsLocalAccountName: 'JIT-x' }, around(), { field: 'localAccountName' }],
    [
      'another with an inherited prefix',
      { accountNamePrefix: 'a' },
      {},
      { lapsDomainAccountName: 'Abc' },
      around(),
      { field: 'domainAccountName' },
    ],
    ['both at once', {}, {}, { accountNamePrefix: 'x', lapsLocalAccountName: 'xy' }, around(), { field: 'localAccountName' }],
    ['DOMAIN without an agent', groups, {}, { domainLoginMode: 'DOMAIN' }, around({ controllers: [] }), { domain: 'corp.example.com' }],
    ['PROMPT without an agent', groups, {}, { domainLoginMode: 'PROMPT' }, around({ controllers: [] }), { domain: 'corp.example.com' }],
    [
      'of two domains none is named',
      groups,
      {},
      { domainLoginMode: 'PROMPT' },
      around({ controllers: [], domains: ['a.x', 'b.x'] }),
      { domain: null },
    ],
    ['nor of none', groups, {}, { domainLoginMode: 'PROMPT' }, around({ controllers: [], domains: [] }), { domain: null }],
    ['DOMAIN without groups', {}, {}, { domainLoginMode: 'DOMAIN' }, around(), { field: 'domainAdminGroups' }],
    [
      'the groups taken away from DOMAIN',
      {},
      { domainLoginMode: 'DOMAIN', ...groups },
      { domainAdminGroups: null },
      around(),
      { field: 'domainAdminGroups' },
    ],
  ])('%s', (_, above, before, patch, surroundings, fields) => {
    expect(() => change(above, before, patch, surroundings)).toThrow(expect.objectContaining({ fields }));
  });
});

describe('a change is taken', () => {
  test.each<[string, OwnSettings, OwnSettings, SettingsPatch, Surroundings]>([
    ['DOMAIN with agent and groups', groups, {}, { domainLoginMode: 'DOMAIN' }, around()],
    ['DOMAIN and the groups at once', {}, {}, { domainLoginMode: 'DOMAIN', ...groups }, around()],
    ['DOMAIN on the MSP, as a default', {}, {}, { domainLoginMode: 'DOMAIN' }, mspAround],
    [
      'back to what is inherited',
      { domainLoginMode: 'DOMAIN' },
      { domainLoginMode: 'LOCAL' },
      { domainLoginMode: null },
      around({ controllers: [] }),
    ],
    [
      'something else while the agent is gone',
      {},
      { domainLoginMode: 'DOMAIN', ...groups },
      { passwordLength: 16 },
      around({ controllers: [] }),
    ],
    [
      'something else under a prefix from above',
      { accountNamePrefix: 'x' },
      { lapsLocalAccountName: 'xy' },
      { passwordLength: 16 },
      around(),
    ],
    [
      'a prefix and another LAPS name at once',
      {},
      {},
      { accountNamePrefix: 'stint-', lapsLocalAccountName: 'bg', lapsDomainAccountName: 'bgd' },
      around(),
    ],
  ])('%s', (_, above, before, patch, surroundings) => change(above, before, patch, surroundings));
});

describe('what does not go together is shown', () => {
  test.each<[string, OwnSettings, OwnSettings, Surroundings, object]>([
    ['nothing by default', {}, {}, around(), {}],
    ['passwords that are too short', { lapsPasswordLength: 8 }, {}, around(), { lapsPasswordLength: /have 48 bits.*64 bits are enough/ }],
    ['four words', {}, { lapsPasswordStyle: 'PASSPHRASE', lapsPassphraseWords: 4 }, around(), { lapsPassphraseWords: /have 51 bits/ }],
    ['five words', { lapsPasswordLength: 8 }, { lapsPasswordStyle: 'PASSPHRASE', lapsPassphraseWords: 5 }, around(), {}],
    [
      'DOMAIN inherited without an agent',
      { domainLoginMode: 'DOMAIN', ...groups },
      {},
      around({ controllers: [] }),
      { domainLoginMode: /No agent on .* corp\.example\.com/ },
    ],
    [
      'and nobody in a domain',
      { domainLoginMode: 'DOMAIN', ...groups },
      {},
      around({ controllers: [], domains: [] }),
      { domainLoginMode: /No agent on a domain controller is/ },
    ],
    [
      'one of two domains without',
      { domainLoginMode: 'PROMPT', ...groups },
      {},
      around({ domains: ['corp.example.com', 'lab.example.com'] }),
      { domainLoginMode: /lab\.example\.com/ },
    ],
    ['no groups', { domainLoginMode: 'PROMPT' }, {}, around(), { domainLoginMode: /domainAdminGroups/ }],
    [
      'an agent that cannot',
      { domainLoginMode: 'PROMPT', ...groups },
      {},
      around({ controllers: [{ domain: 'corp.example.com', makesAccounts: false }] }),
      { domainLoginMode: /cannot make domain accounts yet/ },
    ],
    ['all is well', { domainLoginMode: 'PROMPT', ...groups }, {}, around(), {}],
    ['on the MSP it is a default', { domainLoginMode: 'DOMAIN' }, {}, mspAround, {}],
    [
      'a prefix from above',
      { accountNamePrefix: 'x' },
      { lapsLocalAccountName: 'XY' },
      around(),
      { lapsLocalAccountName: /"XY" must not begin with "x"/ },
    ],
  ])('%s', (_, above, own, surroundings, problems) => {
    const expected = Object.fromEntries(Object.entries(problems).map(([name, words]) => [name, expect.stringMatching(words as RegExp)]));
    expect(problemsOf(effective(above, own), surroundings)).toEqual(expected);
  });
});
