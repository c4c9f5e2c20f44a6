import { describe, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { settingCases } from '../testing/setting-cases.ts';
import {
  apiName,
  changeSettings,
  effectiveSettings,
  readOwnSettings,
  settingNames,
  type OwnSettings,
  type SettingsPatch,
} from './settings.domain.ts';

const [msp, customer, branch] = [newId(), newId(), newId()];
const path = [msp, customer, branch];

describe('the effective value', () => {
  test.each<[string, [string, OwnSettings][], unknown]>([
    ['is the default', [], { value: 3600, source: 'DEFAULT', setOn: null }],
    ['comes from the MSP', [[msp, { sessionSeconds: 900 }]], { value: 900, source: 'INHERITED', setOn: msp }],
    [
      'comes from the nearest above',
      [
        [msp, { sessionSeconds: 900 }],
        [customer, { sessionSeconds: 800 }],
      ],
      { value: 800, source: 'INHERITED', setOn: customer },
    ],
    [
      'is its own',
      [
        [msp, { sessionSeconds: 900 }],
        [branch, { sessionSeconds: 700 }],
      ],
      { value: 700, source: 'OWN', setOn: branch },
    ],
    [
      'is its own though equal to the one above',
      [
        [msp, { sessionSeconds: 900 }],
        [branch, { sessionSeconds: 900 }],
      ],
      { value: 900, source: 'OWN', setOn: branch },
    ],
    ['ignores tenants beside the path', [[newId(), { sessionSeconds: 700 }]], { value: 3600, source: 'DEFAULT', setOn: null }],
  ])('%s', (_, own, expected) => {
    expect(effectiveSettings(path, new Map(own)).sessionSeconds).toEqual(expected);
  });

  test('false is a value and not a gap', () => {
    const own = new Map<string, OwnSettings>([
      [msp, { totpLogin: true }],
      [customer, { totpLogin: false }],
    ]);
    expect(effectiveSettings(path, own).totpLogin).toEqual({ value: false, source: 'INHERITED', setOn: customer });
  });

  test('each setting is inherited singly', () => {
    const own = new Map<string, OwnSettings>([
      [msp, { totpLogin: true }],
      [customer, { passwordLength: 16 }],
    ]);
    const effective = effectiveSettings(path, own);
    expect(settingNames.filter((name) => effective[name].source !== 'DEFAULT').map((name) => [name, effective[name].setOn])).toEqual([
      ['passwordLength', customer],
      ['totpLogin', msp],
    ]);
  });
});

describe.each(settingNames)('%s', (name) => {
  const { default: byDefault, right, wrong, wrongType } = settingCases[name];
  const set = (value: unknown) => changeSettings({}, { [name]: value } as SettingsPatch);

  test('has a default, and is inherited singly', () => {
    expect(effectiveSettings(path, new Map())[name]).toEqual({ value: byDefault, source: 'DEFAULT', setOn: null });
    const own = new Map<string, OwnSettings>([
      [msp, { [name]: right[0] }],
      [customer, { [name]: right[1] }],
    ]);
    expect(effectiveSettings(path, own)[name]).toEqual({ value: right[1], source: 'INHERITED', setOn: customer });
    expect(effectiveSettings([msp, newId()], own)[name]).toEqual({ value: right[0], source: 'INHERITED', setOn: msp });
  });

  test.each(right.map((value) => [value]))('may be %j', (value) => {
    expect(set(value)).toEqual({ own: { [name]: value }, changes: [{ name, old: null, new: value }] });
    expect(readOwnSettings({ [name]: value, other: 1 })).toEqual({ [name]: value });
  });

  test.each([...wrong, ...wrongType, Number.NaN, {}].map((value) => [value]))('may not be %j', (value) => {
    const field = apiName(name);
    expect(() => set(value)).toThrow(
      expect.objectContaining({ type: 'InvalidInput', fields: { field }, message: expect.stringMatching(`^${field} must .+[^.]\\.$`) }),
    );
    // What is stored is held to the same rules.
    expect(readOwnSettings({ [name]: value })).toEqual({});
  });

  test('has at least one wrong value', () => expect(wrong.length + wrongType.length).toBeGreaterThan(0));
});

test('an OU path and group names are kept as Unicode NFC', () => {
  const patch = { domainOuPath: '<domain>/Bu\u0308ro', domainAdminGroups: ['Bu\u0308ro'] };
  expect(changeSettings({}, patch).own).toEqual({ domainOuPath: '<domain>/B\u00fcro', domainAdminGroups: ['B\u00fcro'] });
  expect(() => changeSettings({}, { domainAdminGroups: ['Bu\u0308ro', 'b\u00fcro'] })).toThrow('different groups');
});

describe('a change', () => {
  const own: OwnSettings = { sessionSeconds: 900, totpLogin: true };
  test.each<[string, SettingsPatch, OwnSettings, unknown[]]>([
    ['of nothing', {}, own, []],
    ['left out is not null', { totpLogin: undefined }, own, []],
    ['sets', { passwordLength: 16 }, { ...own, passwordLength: 16 }, [{ name: 'passwordLength', old: null, new: 16 }]],
    ['replaces', { sessionSeconds: 600 }, { ...own, sessionSeconds: 600 }, [{ name: 'sessionSeconds', old: 900, new: 600 }]],
    ['resets', { sessionSeconds: null }, { totpLogin: true }, [{ name: 'sessionSeconds', old: 900, new: null }]],
    ['to the same value is none', { sessionSeconds: 900, passwordLength: null }, own, []],
    [
      'sets a list',
      { domainAdminGroups: ['A'] },
      { ...own, domainAdminGroups: ['A'] },
      [{ name: 'domainAdminGroups', old: null, new: ['A'] }],
    ],
  ])('%s', (_, patch, expected, changes) => {
    expect(changeSettings(own, patch)).toEqual({ own: expected, changes });
  });

  test('is all or nothing, and leaves its input alone', () => {
    const before = { ...own };
    expect(() => changeSettings(own, { sessionSeconds: 600, accountRestDays: 0 })).toThrow(
      'accountRestDays must be a whole number from 1 to 365.',
    );
    expect(own).toEqual(before);
  });

  test.each([null, undefined, 7, 'x', []])('stored %j is nothing', (stored) => {
    expect(readOwnSettings(stored)).toEqual({});
  });

  test('of a list to the same list is none', () => {
    expect(changeSettings({ lapsReaderGroups: [] }, { lapsReaderGroups: [] }).changes).toEqual([]);
  });
});
