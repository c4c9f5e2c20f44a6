import { invalidInput, isId, type Id } from '@stint/kernel';
import { deviceTag, displayName, line } from '@stint/contracts';
import { checkedHours, hoursInWords, type HourRange, type Hours } from './hours.domain.ts';

export const accessKinds = ['LOCAL_ADMIN', 'DOMAIN_ADMIN', 'ENTRA_ROLE'] as const;
export type AccessKind = (typeof accessKinds)[number];
export type AccessEffect = 'ALLOW' | 'DENY';

/** The longest session that any rule can allow. */
export const longestSeconds = 28_800;
export const mostApprovals = 5;
const mostGroups = 20;
const mostTags = 20;
const mostEntraRoles = 20;
/** Most rules set on one tenant: a decision reads those of every tenant above the target. */
export const mostRulesOfTenant = 200;

/** Who may get which access where, for how long, on which demands. Counts for its tenant and all below. */
export interface AccessRule {
  mspId: Id;
  tenantId: Id;
  id: Id;
  name: string;
  effect: AccessEffect;
  enabled: boolean;
  /** Technician groups; empty means every technician. */
  groups: Id[];
  /** A device with any of these; empty means every target. */
  deviceTags: string[];
  kinds: AccessKind[];
  /** Names of Entra roles; only and always with ENTRA_ROLE. */
  entraRoles: string[];
  maxSeconds: number;
  /** Session length where nobody chose one; null means the tenant's setting. */
  defaultSeconds: number | null;
  requireReason: boolean;
  requireTicket: boolean;
  /** How many other people must approve. */
  approvals: number;
  /** Who they must be; null means whoever holds the permission. */
  approverGroup: Id | null;
  hours: Hours;
}

/** A rule as somebody sent it; what is left out is as in `newRule`, or stays as it was. */
export interface RuleInput {
  name?: string | null | undefined;
  effect?: AccessEffect | null | undefined;
  enabled?: boolean | null | undefined;
  groups?: readonly string[] | null | undefined;
  deviceTags?: readonly string[] | null | undefined;
  kinds?: readonly AccessKind[] | null | undefined;
  entraRoles?: readonly string[] | null | undefined;
  maxSeconds?: number | null | undefined;
  /** null: the tenant's setting. */
  defaultSeconds?: number | null | undefined;
  requireReason?: boolean | null | undefined;
  requireTicket?: boolean | null | undefined;
  approvals?: number | null | undefined;
  /** null: nobody in particular. */
  approverGroup?: string | null | undefined;
  hours?: readonly HourRange[] | null | undefined;
  timeZone?: string | null | undefined;
}

const blank = {
  name: '',
  effect: 'ALLOW' as AccessEffect,
  enabled: true,
  groups: [],
  deviceTags: [],
  kinds: [],
  entraRoles: [],
  maxSeconds: longestSeconds,
  defaultSeconds: null,
  requireReason: false,
  requireTicket: false,
  approvals: 0,
  approverGroup: null,
  hours: { ranges: [], timeZone: null },
} satisfies Omit<AccessRule, 'mspId' | 'tenantId' | 'id'>;

type Place = Pick<AccessRule, 'mspId' | 'tenantId' | 'id'>;

/** A new rule, checked and normalised; Problem `InvalidInput` for the first value that breaks a rule. */
export function newRule(place: Place, input: RuleInput): AccessRule {
  return changedRule({ ...place, ...blank }, input);
}

/** The rule with the fields of `input` that are there; all or nothing, checked as a whole. Problem `InvalidInput`. */
export function changedRule(rule: AccessRule, input: RuleInput): AccessRule {
  const next: AccessRule = {
    mspId: rule.mspId,
    tenantId: rule.tenantId,
    id: rule.id,
    name: typed('name', displayName, input.name ?? rule.name),
    effect: input.effect ?? rule.effect,
    enabled: input.enabled ?? rule.enabled,
    groups: ids('groups', input.groups ?? rule.groups, mostGroups),
    deviceTags: list('deviceTags', deviceTag, input.deviceTags ?? rule.deviceTags, mostTags),
    kinds: accessKinds.filter((kind) => (input.kinds ?? rule.kinds).includes(kind)),
    entraRoles: list('entraRoles', line(100), input.entraRoles ?? rule.entraRoles, mostEntraRoles),
    maxSeconds: whole('maxSeconds', input.maxSeconds ?? rule.maxSeconds, 60, longestSeconds),
    defaultSeconds: input.defaultSeconds === undefined ? rule.defaultSeconds : input.defaultSeconds,
    requireReason: input.requireReason ?? rule.requireReason,
    requireTicket: input.requireTicket ?? rule.requireTicket,
    approvals: whole('approvals', input.approvals ?? rule.approvals, 0, mostApprovals),
    approverGroup: input.approverGroup === undefined ? rule.approverGroup : input.approverGroup,
    hours: nextHours(rule.hours, input),
  };
  if (next.kinds.length === 0) throw invalidInput('kinds', `kinds must name at least one of ${accessKinds.join(', ')}.`);
  const entra = next.kinds.includes('ENTRA_ROLE');
  if (!entra && next.entraRoles.length > 0) throw invalidInput('entraRoles', 'entraRoles only go with the kind ENTRA_ROLE.');
  if (entra && next.effect === 'ALLOW' && next.entraRoles.length === 0)
    throw invalidInput('entraRoles', 'entraRoles must name the roles that are allowed.');
  if (next.deviceTags.length > 0 && next.kinds.every((kind) => kind === 'ENTRA_ROLE'))
    throw invalidInput('deviceTags', 'deviceTags do not go with Entra roles alone: those are not held on a device.');
  if (next.defaultSeconds !== null) {
    whole('defaultSeconds', next.defaultSeconds, 60, longestSeconds);
    if (next.defaultSeconds > next.maxSeconds) throw invalidInput('defaultSeconds', 'defaultSeconds must not be more than maxSeconds.');
  }
  if (next.approverGroup !== null) {
    if (!isId(next.approverGroup)) throw invalidInput('approverGroup', unknownGroup);
    if (next.approvals === 0) throw invalidInput('approverGroup', 'approverGroup only goes with approvals. Say how many, or leave it out.');
  }
  return next;
}

export const unknownGroup = 'No technician group with this id is visible to you.';

/** The groups that a rule names. */
export function groupsNamed(rule: Pick<AccessRule, 'groups' | 'approverGroup'>): Id[] {
  return [...new Set([...rule.groups, ...(rule.approverGroup === null ? [] : [rule.approverGroup])])];
}

/** The first rule of an MSP: day one works, and what is narrower is said by rules of its own. */
export function firstRule(place: Place): AccessRule {
  return newRule(place, { name: 'Technicians: local administrator', kinds: ['LOCAL_ADMIN'] });
}

const facets = [
  'name',
  'effect',
  'enabled',
  'groups',
  'deviceTags',
  'kinds',
  'entraRoles',
  'maxSeconds',
  'defaultSeconds',
  'requireReason',
  'requireTicket',
  'approvals',
  'approverGroup',
  'hours',
] as const;

type Details = Record<string, string | number | boolean | null>;
// A message carries at most 4 KB, and the event's own fields are some of it.
const detailsBytes = 3_300;

/** What differs, as the audit log has it: of lists what was added and removed, of all else old and new. Empty when nothing differs. */
export function ruleChanges(before: AccessRule | null, after: AccessRule | null): Details {
  const details: Details = {};
  for (const facet of facets) {
    const [old, now] = [before?.[facet] ?? null, after?.[facet] ?? null];
    if (Array.isArray(old) || Array.isArray(now)) {
      const [had, has] = [(old ?? []) as string[], (now ?? []) as string[]];
      put(details, `${facet}.removed`, had.filter((one) => !has.includes(one)).join(', ') || undefined);
      put(details, `${facet}.added`, has.filter((one) => !had.includes(one)).join(', ') || undefined);
    } else if (plain(old) !== plain(now)) {
      if (before !== null) put(details, after === null ? facet : `${facet}.old`, plain(old));
      if (after !== null) put(details, before === null ? facet : `${facet}.new`, plain(now));
    }
  }
  return bounded(details);
}

function put(details: Details, name: string, value: Details[string] | undefined): void {
  if (value !== undefined) details[name] = value;
}

function plain(value: unknown): string | number | boolean | null {
  if (typeof value !== 'object' || value === null) return value as string | number | boolean | null;
  return hoursInWords(value as Hours);
}

/** Shortens long texts until all of it fits into a message. */
function bounded(details: Details): Details {
  for (const longest of [Infinity, 600, 300, 150, 75]) {
    const short = Object.entries(details).map(([name, value]) => [
      name,
      typeof value === 'string' && value.length > longest ? `${value.slice(0, longest)}…` : value,
    ]);
    const fitting = Object.fromEntries(short) as Details;
    if (Buffer.byteLength(JSON.stringify(fitting)) <= detailsBytes) return fitting;
  }
  return {};
}

function nextHours(hours: Hours, input: RuleInput): Hours {
  if (input.hours === undefined && input.timeZone === undefined) return hours;
  const ranges = input.hours === undefined ? hours.ranges : (input.hours ?? []);
  // Taking the hours away takes the zone away.
  const kept = ranges.length === 0 ? null : hours.timeZone;
  return checkedHours(ranges, input.timeZone === undefined ? kept : input.timeZone);
}

function typed(field: string, rule: ReturnType<typeof line>, value: string): string {
  const parsed = rule.safeParse(value);
  if (!parsed.success) throw invalidInput(field, `${field} ${parsed.error.issues[0]?.message ?? 'is not valid'}.`);
  return parsed.data;
}

function list(field: string, rule: ReturnType<typeof line>, values: readonly string[], most: number): string[] {
  if (values.length > most) throw invalidInput(field, `${field} can have at most ${most} entries.`);
  return [...new Set(values.map((value, index) => typed(`${field}.${index}`, rule, value)))];
}

function ids(field: string, values: readonly string[], most: number): Id[] {
  if (values.length > most) throw invalidInput(field, `${field} can have at most ${most} entries.`);
  values.forEach((value, index) => {
    if (!isId(value)) throw invalidInput(`${field}.${index}`, unknownGroup);
  });
  return [...new Set(values)];
}

function whole(field: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max)
    throw invalidInput(field, `${field} must be a whole number from ${min} to ${max}.`);
  return value;
}
