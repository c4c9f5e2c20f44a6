import { z } from 'zod';
import { isId, type Id } from '@stint/kernel';
import { readOuPath } from './ou-path.domain.ts';

/** What a setting may be. */
export interface Definition<Value> {
  default: Value;
  /** Reads what was passed into the form in which it is kept. */
  rule: z.ZodType<Value, unknown>;
  /** The rule in words, for whoever passed something else. */
  says: string;
}

/** Yes or no. */
export function onOff(byDefault: boolean): Definition<boolean> {
  return { default: byDefault, rule: z.boolean(), says: 'must be true or false' };
}

/** A whole number within bounds. */
export function whole(byDefault: number, min: number, max: number): Definition<number> {
  return { default: byDefault, rule: z.number().int().min(min).max(max), says: `must be a whole number from ${min} to ${max}` };
}

/** One of a few words. */
export function oneOf<Word extends string>(byDefault: Word, words: readonly Word[]): Definition<Word> {
  return { default: byDefault, rule: z.enum(words) as unknown as z.ZodType<Word, unknown>, says: `must be ${words.join(' or ')}` };
}

/** What the names of JIT accounts begin with. */
export function accountNamePrefix(byDefault: string): Definition<string> {
  return {
    default: byDefault,
    rule: z.string().regex(/^[a-z][a-z0-9_-]{0,9}$/),
    says: 'must have 1 to 10 characters: a lower-case letter first, then lower-case letters, digits, - and _',
  };
}

// Accounts that belong to the system itself, on Windows and on Linux, and names that Windows cannot make a profile folder of.
// "Administrator" is not among them: a LAPS account may take over the built-in one.
/** Lower-cased names of accounts and devices of the systems themselves. */
export const reservedAccounts: ReadonlySet<string> = new Set([
  ...[
    'guest',
    'defaultaccount',
    'wdagutilityaccount',
    'krbtgt',
    'system',
    'localservice',
    'networkservice',
    'everyone',
    'none',
    'anonymous',
  ],
  ...['root', 'daemon', 'bin', 'sys', 'sync', 'adm', 'mail', 'nobody', 'nogroup', 'sshd', 'dbus', 'messagebus', 'polkitd', 'ntp', 'chrony'],
  ...['con', 'prn', 'aux', 'nul', ...Array.from({ length: 9 }, (_, at) => [`com${at + 1}`, `lpt${at + 1}`]).flat()],
]);

/**
 * A LAPS account: a name that Windows, a domain (sAMAccountName) and Linux all take, so that one setting fits every
 * computer. That is less than Windows alone would take; plain ASCII, so that no name looks like another.
 */
export function lapsAccountName(byDefault: string): Definition<string> {
  return {
    default: byDefault,
    rule: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,19}$/)
      .refine((name) => !name.endsWith('.') && !/^[0-9]+$/.test(name) && !reservedAccounts.has(name.toLowerCase())),
    says: 'must have 1 to 20 characters (letters, digits, - _ and .), not begin with - or ., not end with ., not be a number, and not be an account of the system itself such as Guest or root',
  };
}

/** Where domain accounts are made. */
export function ouPath(byDefault: string): Definition<string> {
  return {
    default: byDefault,
    rule: z.string().transform((text, context) => {
      const read = readOuPath(text);
      if ('path' in read) return read.path;
      context.addIssue({ code: 'custom', message: read.fault });
      return z.NEVER;
    }) as unknown as z.ZodType<string, unknown>,
    says: 'must be an OU path',
  };
}

// What a group's sAMAccountName may not contain ([MS-SAMR] 3.1.1.6), and what cannot be seen.
const groupNameBreaks = /["/\\[\]:;|=,+*?<>\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u;
const sid = /^S-1-5-(21-\d{1,10}-\d{1,10}-\d{1,10}-\d{1,10}|32-\d{1,10})$/;

function isGroupName(name: string): boolean {
  if (name.length < 1 || name.length > 64 || name !== name.trim()) return false;
  return sid.test(name) || !(groupNameBreaks.test(name) || name.endsWith('.') || /^S-\d/i.test(name));
}

/** Groups of a domain by name (sAMAccountName) or SID; nothing until somebody names one. */
export function domainGroups(): Definition<readonly string[]> {
  return {
    default: [],
    rule: z
      .array(z.string().transform((name) => name.normalize('NFC')))
      .min(1)
      .max(20)
      .refine((names) => names.every(isGroupName) && isSet(names.map((name) => name.toLowerCase()))) as unknown as z.ZodType<
      readonly string[],
      unknown
    >,
    says: 'must name 1 to 20 different groups, each by its name (up to 64 characters, without " / \\ [ ] : ; | = , + * ? < >) or SID; null goes back to the inherited ones',
  };
}

/** Technician groups by id; none means nobody. */
export function technicianGroups(): Definition<readonly Id[]> {
  return {
    default: [],
    rule: z
      .array(z.string())
      .max(20)
      .refine((ids) => ids.every(isId) && isSet(ids)) as unknown as z.ZodType<readonly Id[], unknown>,
    says: 'must list up to 20 different ids of technician groups',
  };
}

function isSet(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
