import { isDeepStrictEqual } from 'node:util';
import { lapsPasswordStyles } from '@stint/contracts';
import { invalidInput, type Id } from '@stint/kernel';
import {
  accountNamePrefix,
  domainGroups,
  lapsAccountName,
  onOff,
  oneOf,
  ouPath,
  technicianGroups,
  whole,
  type Definition,
} from './setting-rules.domain.ts';

/** Whose accounts JIT accounts are. */
export type TechnicianLoginMode = 'INDIVIDUAL' | 'SHARED';
/** Which accounts technicians get on computers of a domain. */
export type DomainLoginMode = 'LOCAL' | 'DOMAIN' | 'PROMPT';
export type LapsPasswordStyle = (typeof lapsPasswordStyles)[number];

/**
 * Every setting: its type, default and rule. Those of LAPS begin with `laps` here and in the history; the API has them
 * as an aggregate of their own, without the beginning (ADR 0014).
 */
export const settingDefinitions = {
  /** One account for each technician, or one for all of them. */
  technicianLoginMode: oneOf<TechnicianLoginMode>('INDIVIDUAL', ['INDIVIDUAL', 'SHARED']),
  /** On computers of a domain: a local account, one of the domain, or as the technician chooses. */
  domainLoginMode: oneOf<DomainLoginMode>('LOCAL', ['LOCAL', 'DOMAIN', 'PROMPT']),
  /** Where domain accounts are made. */
  domainOuPath: ouPath('<domain>/Users'),
  /** The groups whose member a domain account is while it is enabled. */
  domainAdminGroups: domainGroups(),
  /** Length of generated passwords, in characters. */
  passwordLength: whole(24, 12, 127),
  /** What the names of JIT accounts begin with. */
  accountNamePrefix: accountNamePrefix('jit-'),
  /** Codes from an authenticator app are accepted while the computer is online. */
  totpLogin: onOff(false),
  /** A technician may be asked on the phone by typing their email address at the computer. */
  pushLogin: onOff(false),
  /** How long a session lasts from the moment the account is active. */
  sessionSeconds: whole(3600, 60, 28_800),
  /** After how long without input a session ends. */
  idleEndSeconds: whole(600, 60, 86_400),
  /** How long a request waits for a second person's approval. */
  requestLifeSeconds: whole(3600, 300, 604_800),
  /** Days after which an unused account is deleted. */
  accountRestDays: whole(30, 1, 365),
  /** Members that came into privileged groups during a session are removed at its end. */
  removeNewPrivileged: onOff(false),
  /** How long audit events are kept. */
  auditRetentionDays: whole(400, 30, 3650),
  /** A break-glass account on workstations, and on servers that are not domain controllers. */
  lapsLocalEnabled: onOff(false),
  lapsLocalAccountName: lapsAccountName('stint-admin'),
  /** Whether the local account can be used; off, it is kept locked. */
  lapsLocalActive: onOff(true),
  lapsDomainEnabled: onOff(false),
  lapsDomainAccountName: lapsAccountName('stint-domain-admin'),
  /** Whose members may read LAPS passwords. */
  lapsReaderGroups: technicianGroups(),
  /** A ticket must be given to read a LAPS password; a reason always. */
  lapsRequireTicket: onOff(false),
  /** How long a LAPS password stays. */
  lapsIntervalSeconds: whole(86_400, 3600, 31_536_000),
  /** How long after somebody read a LAPS password it is changed. */
  lapsRotateAfterRevealSeconds: whole(3600, 0, 86_400),
  /** How many former passwords are kept, for computers that are restored from a snapshot. */
  lapsHistoryLength: whole(12, 1, 100),
  /** What LAPS passwords are made of. */
  lapsPasswordStyle: oneOf<LapsPasswordStyle>('CHARACTERS', lapsPasswordStyles),
  /** How many characters, or words. */
  lapsPasswordLength: whole(24, 8, 127),
  lapsPassphraseWords: whole(6, 3, 12),
  /** Without characters that look like others. */
  lapsPasswordUnambiguous: onOff(true),
  /** With signs, too; otherwise letters and digits only. */
  lapsPasswordSymbols: onOff(true),
};

type ValueOf<Of> = Of extends Definition<infer Value> ? Value : never;
export type SettingName = keyof typeof settingDefinitions;
export type SettingValue<Name extends SettingName> = ValueOf<(typeof settingDefinitions)[Name]>;
export type AnyValue = SettingValue<SettingName>;
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
  old: AnyValue | null;
  new: AnyValue | null;
}

/** True for a setting of LAPS, which the API has in `lapsSettings`. */
export function isLaps(name: SettingName): boolean {
  return name.startsWith('laps');
}

/** The setting's name in the API: `localEnabled` for `lapsLocalEnabled`. */
export function apiName(name: SettingName): string {
  return isLaps(name) ? name.charAt(4).toLowerCase() + name.slice(5) : name;
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
  const next: Record<string, AnyValue> = { ...own };
  const changes: SettingChange[] = [];
  for (const name of settingNames) {
    const given = patch[name];
    if (given === undefined) continue;
    const value = given === null ? null : checked(name, given);
    const old = own[name] ?? null;
    if (isDeepStrictEqual(value, old)) continue;
    changes.push({ name, old, new: value });
    if (value === null) delete next[name];
    else next[name] = value;
  }
  return { own: next as OwnSettings, changes };
}

function checked(name: SettingName, given: unknown): AnyValue {
  const { rule, says } = settingDefinitions[name];
  const parsed = rule.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalidInput(
    apiName(name),
    `${apiName(name)} ${issue?.code === 'custom' && issue.message !== 'Invalid input' ? issue.message : says}.`,
  );
}
