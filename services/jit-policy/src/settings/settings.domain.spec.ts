import { describe, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import {
  changeSettings,
  effectiveSettings,
  readOwnSettings,
  settingNames,
  type OwnSettings,
  type SettingName,
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
    expect(settingNames.map((name) => [name, effective[name].value, effective[name].setOn])).toEqual([
      ['totpLogin', true, msp],
      ['passwordLength', 16, customer],
      ['accountNamePrefix', 'jit-', null],
      ['sessionSeconds', 3600, null],
      ['accountRestDays', 30, null],
    ]);
  });
});

describe('the rules', () => {
  test.each<[SettingName, unknown, boolean]>([
    ['totpLogin', true, true],
    ['totpLogin', 1, false],
    ['passwordLength', 12, true],
    ['passwordLength', 127, true],
    ['passwordLength', 11, false],
    ['passwordLength', 128, false],
    ['passwordLength', 24.5, false],
    ['accountNamePrefix', 'j', true],
    ['accountNamePrefix', 'jit_01-abc', true],
    ['accountNamePrefix', '', false],
    ['accountNamePrefix', 'jit_01-abcd', false],
    ['accountNamePrefix', 'Jit-', false],
    ['accountNamePrefix', '1jit', false],
    ['accountNamePrefix', '-jit', false],
    ['accountNamePrefix', 'jit ', false],
    ['accountNamePrefix', 'jit\n', false],
    ['accountNamePrefix', 'j\u0456t', false],
    ['accountNamePrefix', 'jit;x', false],
    ['sessionSeconds', 60, true],
    ['sessionSeconds', 28_800, true],
    ['sessionSeconds', 59, false],
    ['sessionSeconds', 28_801, false],
    ['sessionSeconds', Number.NaN, false],
    ['accountRestDays', 1, true],
    ['accountRestDays', 365, true],
    ['accountRestDays', 0, false],
    ['accountRestDays', 366, false],
  ])('%s = %j: %p', (name, value, allowed) => {
    const change = () => changeSettings({}, { [name]: value } as SettingsPatch);
    if (allowed) expect(change().own).toEqual({ [name]: value });
    else expect(change).toThrow(expect.objectContaining({ type: 'InvalidInput', fields: { field: name } }));
    // What is stored is held to the same rules.
    expect(readOwnSettings({ [name]: value, other: 1 })).toEqual(allowed ? { [name]: value } : {});
  });
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
});
