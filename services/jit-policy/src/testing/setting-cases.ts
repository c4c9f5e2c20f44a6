import type { AnyValue, SettingName, SettingValue } from '../settings/settings.domain.ts';

interface Case<Value> {
  default: Value;
  /** Two different right values, the first of them not the default. */
  right: readonly [Value, Value];
  /** Wrong values of the right type, for which there are words, and values of a wrong type. */
  wrong: readonly AnyValue[];
  wrongType: readonly [unknown, ...unknown[]];
}

const [group, otherGroup] = ['0190f000-0000-7000-8000-0000000000a1', '0190f000-0000-7000-8000-0000000000a2'];
const whole = (byDefault: number, min: number, max: number): Case<number> => ({
  ...{ default: byDefault, right: [min, max], wrong: [min - 1, max + 1, -min - 1], wrongType: ['24', 24.5, true, [24]] },
});
const onOff: Case<boolean> = { default: false, right: [true, false], wrong: [], wrongType: [1, 'on', [true]] };
const onByDefault: Case<boolean> = { ...onOff, default: true, right: [false, true] };
const lapsName = (byDefault: string): Case<string> => ({
  default: byDefault,
  right: ['Administrator', 'break_glass-01.x'],
  wrong: [
    ...(['', 'a'.repeat(21), 'ends.', '.begins', '-rf', 'a b', 'a"b', 'a/b', 'a\\b', 'a[b', 'a]b', 'a:b', 'a;b', 'a|b', 'a=b'] as const),
    ...[
      'a,b',
      'a+b',
      'a*b',
      'a?b',
      'a<b',
      'a>b',
      'a@b',
      'a\0b',
      'a\nb',
      'a\u200bb',
      '\u0430dmin',
      '1234',
      'Guest',
      'ROOT',
      'krbtgt',
      'con',
    ],
  ],
  wrongType: [1, true, ['a']],
});

/** Every setting with its default, right and wrong values. A new setting does not compile until it has a row. */
export const settingCases: { readonly [Name in SettingName]: Case<SettingValue<Name>> } = {
  technicianLoginMode: { default: 'INDIVIDUAL', right: ['SHARED', 'INDIVIDUAL'], wrong: [], wrongType: ['shared', '', 1, true] },
  domainLoginMode: { default: 'LOCAL', right: ['PROMPT', 'DOMAIN'], wrong: [], wrongType: ['ANY', '', 1, true] },
  domainOuPath: {
    default: '<domain>/Users',
    right: ['<domain>/JIT accounts/MSP', '<domain>/x,OU=Domain Controllers'],
    wrong: [
      '',
      '<domain>',
      '<domain>/Users/JIT',
      '<domain>/Domain Controllers',
      '<domain>/../x',
      '<domain>/a\0',
      `<domain>${'/a'.repeat(11)}`,
    ],
    wrongType: [1, true, ['<domain>/JIT']],
  },
  domainAdminGroups: {
    default: [],
    right: [['Workstation Admins'], ['S-1-5-21-1-2-3-512', 'Büro (1. OG)']],
    wrong: [
      ...[[], [''], [' a'], ['a '], ['a/b'], ['a,b'], ['a*'], ['a"'], ['a\\b'], ['a:b'], ['a|b'], ['a<b'], ['a@b', 'A@B'], ['ends.']],
      ...[['a\0b'], ['a\u200bb'], ['a\u202eb'], ['S-1-1-0'], ['a'.repeat(65)], Array.from({ length: 21 }, (_, at) => `g${at}`)],
    ],
    wrongType: [1, [1], true],
  },
  passwordLength: whole(24, 12, 127),
  accountNamePrefix: {
    default: 'jit-',
    right: ['j', 'jit_01-abc'],
    wrong: ['', 'jit_01-abcd', 'Jit-', '1jit', '-jit', 'jit ', 'jit\n', 'j\u0456t', 'jit;x', 'jit\u0000'],
    wrongType: [1, true, ['jit-']],
  },
  totpLogin: onOff,
  pushLogin: onOff,
  sessionSeconds: whole(3600, 60, 28_800),
  idleEndSeconds: whole(600, 60, 86_400),
  requestLifeSeconds: whole(3600, 300, 604_800),
  accountRestDays: whole(30, 1, 365),
  removeNewPrivileged: onOff,
  auditRetentionDays: whole(400, 30, 3650),
  lapsLocalEnabled: onOff,
  lapsLocalAccountName: lapsName('stint-admin'),
  lapsDomainEnabled: onOff,
  lapsDomainAccountName: lapsName('stint-domain-admin'),
  lapsReaderGroups: {
    default: [],
    right: [[group], [group, otherGroup]],
    wrong: [['nonsense'], [group, group], [group.toUpperCase()], Array.from({ length: 21 }, () => group)],
    wrongType: [true, [true]],
  },
  lapsIntervalSeconds: whole(86_400, 3600, 31_536_000),
  lapsRotateAfterRevealSeconds: whole(3600, 0, 86_400),
  lapsHistoryLength: whole(12, 1, 100),
  lapsLocalActive: onByDefault,
  lapsRequireTicket: onOff,
  lapsPasswordStyle: { default: 'CHARACTERS', right: ['PASSPHRASE', 'CHARACTERS'], wrong: [], wrongType: ['words', '', 1, true] },
  lapsPasswordLength: whole(24, 8, 127),
  lapsPassphraseWords: whole(6, 3, 12),
  lapsPasswordUnambiguous: onByDefault,
  lapsPasswordSymbols: onByDefault,
};
