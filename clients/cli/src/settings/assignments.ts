import { UsageError } from '../failure.ts';
import type { UpdateJitSettingsInput } from '../generated/operations.ts';

type SettingKey = Exclude<keyof UpdateJitSettingsInput, 'tenantId'>;
type SettingKind = 'switch' | 'number' | 'text';

/** Every setting and how its value is written; the server holds the ranges. */
export const settings: Readonly<Record<SettingKey, { kind: SettingKind; about: string }>> = {
  totpLogin: { kind: 'switch', about: 'codes are accepted while the computer is online (on, off)' },
  passwordLength: { kind: 'number', about: 'length of generated passwords (12 to 127)' },
  accountNamePrefix: { kind: 'text', about: 'what account names begin with' },
  sessionSeconds: { kind: 'number', about: 'how long a session lasts, in seconds (60 to 28800)' },
  accountRestDays: { kind: 'number', about: 'days until an unused account is deleted (1 to 365)' },
};

/** What `key=value` words and `--inherit key` options change; each setting once. */
export function parseAssignments(assignments: readonly string[], inherited: readonly string[]): Omit<UpdateJitSettingsInput, 'tenantId'> {
  const changes: Partial<Record<SettingKey, string | number | boolean | null>> = {};
  const put = (name: string, value: (kind: SettingKind, key: SettingKey) => string | number | boolean | null) => {
    const key = settingKey(name);
    if (key in changes) throw new UsageError(`${key} is given twice.`);
    changes[key] = value(settings[key].kind, key);
  };
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    if (at < 1) throw new UsageError(`"${assignment}" is not of the form key=value.`);
    put(assignment.slice(0, at), (kind, key) => parseValue(kind, key, assignment.slice(at + 1)));
  }
  for (const name of inherited) put(name, () => null);
  if (Object.keys(changes).length === 0) throw new UsageError('Nothing to change: give key=value or --inherit key.');
  return changes as Omit<UpdateJitSettingsInput, 'tenantId'>;
}

function settingKey(name: string): SettingKey {
  if (Object.hasOwn(settings, name)) return name as SettingKey;
  throw new UsageError(`There is no setting "${name}". There are: ${Object.keys(settings).join(', ')}.`);
}

function parseValue(kind: SettingKind, key: SettingKey, value: string): string | number | boolean {
  if (kind === 'text') return value;
  if (kind === 'number') {
    if (/^\d{1,9}$/.test(value)) return Number(value);
    throw new UsageError(`${key} must be a whole number.`);
  }
  if (value === 'on' || value === 'true') return true;
  if (value === 'off' || value === 'false') return false;
  throw new UsageError(`${key} must be on or off.`);
}
