import { UsageError } from '../failure.ts';
import type { UpdateJitSettingsInput, UpdateLapsSettingsInput } from '../generated/operations.ts';

type JitKey = Exclude<keyof UpdateJitSettingsInput, 'tenantId'>;
type LapsKey = Exclude<keyof UpdateLapsSettingsInput, 'tenantId'>;
type SettingKey = JitKey | `laps${Capitalize<LapsKey>}`;
type SettingKind = 'switch' | 'number' | 'text' | 'list' | readonly string[];
type Value = string | number | boolean | string[];

/** Every setting and how its value is written; the server holds the ranges. */
export const settings: Readonly<Record<SettingKey, { kind: SettingKind; about: string }>> = {
  technicianLoginMode: { kind: ['INDIVIDUAL', 'SHARED'], about: 'an account for each technician, or one for all (individual, shared)' },
  domainLoginMode: { kind: ['LOCAL', 'DOMAIN', 'PROMPT'], about: 'accounts on computers of a domain (local, domain, prompt)' },
  domainOuPath: { kind: 'text', about: 'where domain accounts are made (<domain>/JIT accounts)' },
  domainAdminGroups: { kind: 'list', about: 'groups of domain accounts, by name or SID (A,B)' },
  passwordLength: { kind: 'number', about: 'length of generated passwords (12 to 127)' },
  accountNamePrefix: { kind: 'text', about: 'what account names begin with' },
  totpLogin: { kind: 'switch', about: 'codes are accepted while the computer is online (on, off)' },
  pushLogin: { kind: 'switch', about: 'technicians may be asked on the phone (on, off)' },
  sessionSeconds: { kind: 'number', about: 'how long a session lasts, in seconds (60 to 28800)' },
  idleEndSeconds: { kind: 'number', about: 'after how long without input a session ends (60 to 86400)' },
  requestLifeSeconds: { kind: 'number', about: 'how long a request waits for a second approval (300 to 604800)' },
  accountRestDays: { kind: 'number', about: 'days until an unused account is deleted (1 to 365)' },
  removeNewPrivileged: { kind: 'switch', about: 'new members of privileged groups are removed (on, off)' },
  auditRetentionDays: { kind: 'number', about: 'days for which audit events are kept (30 to 3650)' },
  lapsLocalEnabled: { kind: 'switch', about: 'a break-glass account on workstations and servers (on, off)' },
  lapsLocalAccountName: { kind: 'text', about: 'its name' },
  lapsDomainEnabled: { kind: 'switch', about: 'a break-glass account in the domain (on, off)' },
  lapsDomainAccountName: { kind: 'text', about: 'its name' },
  lapsReaderGroups: { kind: 'list', about: 'ids of the technician groups that may read passwords (id,id; nothing for nobody)' },
  lapsIntervalSeconds: { kind: 'number', about: 'how long a password stays (3600 to 31536000)' },
  lapsRotateAfterRevealSeconds: { kind: 'number', about: 'how long it stays after it was read (0 to 86400)' },
  lapsHistoryLength: { kind: 'number', about: 'how many former passwords are kept (1 to 100)' },
  lapsLocalActive: { kind: 'switch', about: 'the account on workstations and servers can be used; off, it is kept locked (on, off)' },
  lapsRequireTicket: { kind: 'switch', about: 'a ticket must be given to read a password (on, off)' },
  lapsPasswordStyle: { kind: ['CHARACTERS', 'PASSPHRASE'], about: 'what passwords are made of (characters, passphrase)' },
  lapsPasswordLength: { kind: 'number', about: 'how many characters (8 to 127)' },
  lapsPassphraseWords: { kind: 'number', about: 'how many words (3 to 12)' },
  lapsPasswordSymbols: { kind: 'switch', about: 'signs in them, too; off, letters and digits only (on, off)' },
  lapsPasswordUnambiguous: { kind: 'switch', about: 'without characters that look like others (on, off)' },
};

/** The name of a setting of LAPS in the API; null for one of JIT. */
export function lapsKey(name: string): LapsKey | null {
  return name.startsWith('laps') ? ((name.charAt(4).toLowerCase() + name.slice(5)) as LapsKey) : null;
}

/** What one call changes: settings of JIT or of LAPS. */
export type Changes =
  { of: 'jit'; patch: Omit<UpdateJitSettingsInput, 'tenantId'> } | { of: 'laps'; patch: Omit<UpdateLapsSettingsInput, 'tenantId'> };

/** What `key=value` words and `--inherit key` options change; each setting once. */
export function parseAssignments(assignments: readonly string[], inherited: readonly string[]): Changes {
  const changes = new Map<SettingKey, Value | null>();
  const put = (name: string, value: (kind: SettingKind, key: SettingKey) => Value | null) => {
    const key = settingKey(name);
    if (changes.has(key)) throw new UsageError(`${key} is given twice.`);
    changes.set(key, value(settings[key].kind, key));
  };
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    if (at < 1) throw new UsageError(`"${assignment}" is not of the form key=value.`);
    put(assignment.slice(0, at), (kind, key) => parseValue(kind, key, assignment.slice(at + 1)));
  }
  for (const name of inherited) put(name, () => null);
  if (changes.size === 0) throw new UsageError('Nothing to change: give key=value or --inherit key.');
  const laps = [...changes.keys()].filter((key) => lapsKey(key) !== null);
  if (laps.length === 0) return { of: 'jit', patch: Object.fromEntries(changes) };
  if (laps.length === changes.size)
    return { of: 'laps', patch: Object.fromEntries([...changes].map(([key, value]) => [lapsKey(key), value])) };
  throw new UsageError('Change the settings of LAPS by a call of their own: one call changes all or nothing.');
}

function settingKey(name: string): SettingKey {
  if (Object.hasOwn(settings, name)) return name as SettingKey;
  throw new UsageError(`There is no setting "${name}". There are: ${Object.keys(settings).join(', ')}.`);
}

function parseValue(kind: SettingKind, key: SettingKey, value: string): Value {
  if (kind === 'text') return value;
  if (kind === 'list') return value === '' ? [] : value.split(',').map((each) => each.trim());
  if (kind === 'number') {
    if (/^\d{1,9}$/.test(value)) return Number(value);
    throw new UsageError(`${key} must be a whole number.`);
  }
  if (kind !== 'switch') {
    if (kind.includes(value.toUpperCase())) return value.toUpperCase();
    throw new UsageError(`${key} must be ${kind.join(' or ').toLowerCase()}.`);
  }
  if (value === 'on' || value === 'true') return true;
  if (value === 'off' || value === 'false') return false;
  throw new UsageError(`${key} must be on or off.`);
}
