import { z } from 'zod';
import { invalidInput, type Id } from '@stint/kernel';

interface Definition<Value> {
  default: Value;
  rule: z.ZodType<Value>;
  /** The rule in words, for whoever passed something else. */
  says: string;
}

function whole(byDefault: number, min: number, max: number): Definition<number> {
  return { default: byDefault, rule: z.number().int().min(min).max(max), says: `must be a whole number from ${min} to ${max}` };
}

/** Every JIT setting: its type, default and rule. Adding one here and in schema.graphql is all there is to it. */
export const settingDefinitions = {
  /** Codes from an authenticator app are accepted while the computer is online. */
  totpLogin: { default: false, rule: z.boolean(), says: 'must be true or false' } satisfies Definition<boolean> as Definition<boolean>,
  /** Length of generated passwords, in characters. */
  passwordLength: whole(24, 12, 127),
  /** What the names of JIT accounts begin with. */
  accountNamePrefix: {
    default: 'jit-',
    rule: z.string().regex(/^[a-z][a-z0-9_-]{0,9}$/),
    says: 'must have 1 to 10 characters: a lower-case letter first, then lower-case letters, digits, - and _',
  } satisfies Definition<string> as Definition<string>,
  /** How long a session lasts from the moment the account is active. */
  sessionSeconds: whole(3600, 60, 28_800),
  /** Days after which an unused account is deleted. */
  accountRestDays: whole(30, 1, 365),
};

export type SettingName = keyof typeof settingDefinitions;
export type SettingValue<Name extends SettingName> = (typeof settingDefinitions)[Name]['default'];
export const settingNames = Object.keys(settingDefinitions) as SettingName[];

/** The values that are set on one tenant. */
export type OwnSettings = { [Name in SettingName]?: SettingValue<Name> };
/** What to change: a value, null for the inherited one, undefined for no change. */
export type SettingsPatch = { [Name in SettingName]?: SettingValue<Name> | null | undefined };

export interface EffectiveSetting<Value> {
  value: Value;
  source: 'DEFAULT' | 'INHERITED' | 'OWN';
  setOn: Id | null;
}
export type EffectiveSettings = { [Name in SettingName]: EffectiveSetting<SettingValue<Name>> };

export interface SettingChange {
  name: SettingName;
  old: boolean | number | string | null;
  new: boolean | number | string | null;
}

/** Stored values as settings. A value that breaks today's rule does not count: the inherited one holds instead. */
export function readOwnSettings(stored: unknown): OwnSettings {
  const own: Record<string, unknown> = {};
  if (typeof stored !== 'object' || stored === null) return own;
  for (const name of settingNames) {
    const parsed = settingDefinitions[name].rule.safeParse((stored as Record<string, unknown>)[name]);
    if (parsed.success) own[name] = parsed.data;
  }
  return own;
}

/** Each setting singly from the nearest tenant that sets it. `path` leads from the MSP down to the tenant itself. */
export function effectiveSettings(path: readonly Id[], ownOf: ReadonlyMap<Id, OwnSettings>): EffectiveSettings {
  const self = path.at(-1);
  const entries = settingNames.map((name): [SettingName, EffectiveSetting<unknown>] => {
    const setOn = path.findLast((id) => ownOf.get(id)?.[name] !== undefined);
    if (setOn === undefined) return [name, { value: settingDefinitions[name].default, source: 'DEFAULT', setOn: null }];
    return [name, { value: ownOf.get(setOn)?.[name], source: setOn === self ? 'OWN' : 'INHERITED', setOn }];
  });
  return Object.fromEntries(entries) as unknown as EffectiveSettings;
}

/** The tenant's own values after a change, and what changed. All or nothing: Problem `InvalidInput` for the first bad value. */
export function changeSettings(own: OwnSettings, patch: SettingsPatch): { own: OwnSettings; changes: SettingChange[] } {
  const next: Record<string, boolean | number | string> = { ...own };
  const changes: SettingChange[] = [];
  for (const name of settingNames) {
    const value = patch[name];
    if (value === undefined) continue;
    const definition = settingDefinitions[name];
    if (value !== null && !definition.rule.safeParse(value).success) throw invalidInput(name, `${name} ${definition.says}.`);
    const old = own[name] ?? null;
    if (value === old) continue;
    changes.push({ name, old, new: value });
    if (value === null) delete next[name];
    else next[name] = value;
  }
  return { own: next as OwnSettings, changes };
}
