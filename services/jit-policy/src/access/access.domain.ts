import type { Id } from '@stint/kernel';
import { rolePermissions, type Role } from '@stint/contracts';
import { hoursInWords, isWithin } from '../access-rule/hours.domain.ts';
import type { AccessKind, AccessRule } from '../access-rule/access-rule.domain.ts';

/** All that a decision rests on. `rules` may hold more than those that apply; their order does not matter. */
export interface AccessFacts {
  /** When access is asked for: hours are looked at by it. */
  at: Date;
  technician: { active: boolean; assignments: readonly { tenantId: Id; role: Role }[]; groupIds: readonly Id[] };
  target: {
    /** From the MSP down to the target's own tenant. */
    tenantPath: readonly Id[];
    kind: AccessKind;
    /** The device's tags; none for an Entra role. */
    deviceTags: readonly string[];
    /** The role that is asked for; null unless `kind` is ENTRA_ROLE. */
    entraRole: string | null;
  };
  rules: readonly AccessRule[];
}

/** What became of one rule in a decision. */
export interface ConsideredRule {
  ruleId: Id;
  name: string;
  tenantId: Id;
  verdict: 'DECIDES' | 'OVERRULED' | 'DOES_NOT_APPLY';
  /** In words. */
  why: string;
}

/** What the rules say about one technician and one target at one time. */
export interface Decision {
  allowed: boolean;
  /** The rule that decided; null when none applies. */
  ruleId: Id | null;
  ruleName: string | null;
  /** In words, for the technician. */
  why: string;
  maxSeconds: number;
  /** null: the tenant's setting, at most `maxSeconds`. */
  defaultSeconds: number | null;
  requireReason: boolean;
  requireTicket: boolean;
  approvals: number;
  approverGroupId: Id | null;
  /** Every rule that was looked at, the most specific first. */
  considered: ConsideredRule[];
}

/**
 * Decides on access: the most specific rule that applies. A rule with a matching device tag comes before one without,
 * then the deeper tenant, then one with named groups. Among equally specific ones DENY comes before ALLOW, an ALLOW
 * within its hours before one outside of them, and then the stricter one. Where the first is an ALLOW outside of its
 * hours, nobody is let in: hours are a demand, and a less specific rule does not lift it. No rule: no access.
 */
export function decideAccess(facts: AccessFacts): Decision {
  const ranked = facts.rules
    .map((rule) => ({ rule, rank: rankOf(rule, facts), misses: whyNot(rule, facts) }))
    .sort((a, b) => compare(a.rank, b.rank));
  const first = ranked.find(({ misses }) => misses === null)?.rule ?? null;
  const considered = ranked.map(({ rule, misses }): ConsideredRule => {
    const about = { ruleId: rule.id, name: rule.name, tenantId: rule.tenantId };
    if (misses !== null) return { ...about, verdict: 'DOES_NOT_APPLY', why: misses };
    if (rule !== first) return { ...about, verdict: 'OVERRULED', why: overruled(rule, first, facts) };
    return {
      ...about,
      verdict: 'DECIDES',
      why: rule.effect === 'DENY' ? 'It denies access.' : (closed(rule, facts) ?? 'It allows access.'),
    };
  });
  const decision = (allowed: boolean, why: string): Decision => ({ ...demandsOf(first), allowed, why, considered });
  if (!facts.technician.active) return decision(false, 'The technician is switched off.');
  if (!mayApproveLogins(facts.technician.assignments, facts.target.tenantPath))
    return decision(false, 'The technician holds no role for logins at this customer.');
  if (first === null) return decision(false, 'No access rule allows this.');
  if (first.effect === 'DENY') return decision(false, `The access rule “${first.name}” denies it.`);
  const outside = closed(first, facts);
  if (outside !== null) return decision(false, `The access rule “${first.name}” does not allow it now. ${outside}`);
  return decision(true, `The access rule “${first.name}” allows it.`);
}

/** Does one of the roles carry `login.approve` in the tenant to which `path` leads? */
export function mayApproveLogins(assignments: readonly { tenantId: Id; role: Role }[], path: readonly Id[]): boolean {
  return assignments.some(({ tenantId, role }) => path.includes(tenantId) && rolePermissions[role].includes('login.approve'));
}

/** How long a session may last: what was asked for, or else the rule's or the tenant's default; never more than the rule's longest. */
export function sessionSecondsBy(
  decision: Pick<Decision, 'maxSeconds' | 'defaultSeconds'>,
  asked: number | null,
  ofTenant: number,
): number {
  return Math.min(asked ?? decision.defaultSeconds ?? ofTenant, decision.maxSeconds);
}

function demandsOf(rule: AccessRule | null): Omit<Decision, 'allowed' | 'why' | 'considered'> {
  return {
    ruleId: rule?.id ?? null,
    ruleName: rule?.name ?? null,
    maxSeconds: rule?.maxSeconds ?? 0,
    defaultSeconds: rule?.defaultSeconds ?? null,
    requireReason: rule?.requireReason ?? false,
    requireTicket: rule?.requireTicket ?? false,
    approvals: rule?.approvals ?? 0,
    approverGroupId: rule?.approverGroup ?? null,
  };
}

/** Why the rule does not apply, in words; null when it does. Hours of an ALLOW are no part of it: they are a demand. */
function whyNot(rule: AccessRule, { technician, target, at }: AccessFacts): string | null {
  if (!target.tenantPath.includes(rule.tenantId)) return 'It is set on another tenant.';
  if (!rule.enabled) return 'It is switched off.';
  if (!rule.kinds.includes(target.kind)) return `It is not about ${target.kind}.`;
  if (target.kind === 'ENTRA_ROLE' && rule.entraRoles.length > 0 && !rule.entraRoles.some((role) => sameRole(role, target.entraRole)))
    return `It does not name the role ${target.entraRole ?? ''}.`;
  if (rule.groups.length > 0 && !rule.groups.some((id) => technician.groupIds.includes(id)))
    return 'The technician is in none of its groups.';
  if (rule.deviceTags.length > 0 && !rule.deviceTags.some((tag) => target.deviceTags.includes(tag)))
    return 'The device has none of its tags.';
  if (rule.effect === 'DENY' && !isWithin(rule.hours, at)) return `It denies only at certain hours: ${hoursInWords(rule.hours)}.`;
  return null;
}

/** An allowing rule outside of its hours, in words; null when it is open. */
function closed(rule: AccessRule, { at }: AccessFacts): string | null {
  return rule.effect === 'DENY' || isWithin(rule.hours, at) ? null : `It allows access only at certain hours: ${hoursInWords(rule.hours)}.`;
}

type Rank = readonly (number | string)[];

/** The smaller comes first. The first three numbers are how specific the rule is; the last makes the order whole. */
function rankOf(rule: AccessRule, facts: AccessFacts): Rank {
  return [
    ...specificity(rule, facts),
    rule.effect === 'DENY' ? 0 : 1,
    closed(rule, facts) === null ? 0 : 1,
    -rule.approvals,
    rule.approverGroup === null ? 1 : 0,
    rule.requireTicket ? 0 : 1,
    rule.requireReason ? 0 : 1,
    rule.maxSeconds,
    rule.defaultSeconds ?? rule.maxSeconds,
    rule.id,
  ];
}

function specificity(rule: AccessRule, { target }: AccessFacts): [number, number, number] {
  return [rule.deviceTags.length > 0 ? 0 : 1, -target.tenantPath.indexOf(rule.tenantId), rule.groups.length > 0 ? 0 : 1];
}

function compare(a: Rank, b: Rank): number {
  for (const [index, one] of a.entries()) {
    const other = b[index];
    if (other === undefined || one === other) continue;
    return one < other ? -1 : 1;
  }
  return 0;
}

function overruled(rule: AccessRule, by: AccessRule | null, facts: AccessFacts): string {
  if (by === null) return '';
  const [tag, depth, groups] = specificity(rule, facts).map((one, index) => one !== specificity(by, facts)[index]);
  if (tag === true) return `“${by.name}” names a tag of the device.`;
  if (depth === true) return `“${by.name}” is set on a tenant nearer to the target.`;
  if (groups === true) return `“${by.name}” names a group of the technician.`;
  if (by.effect !== rule.effect) return `“${by.name}” is as specific and denies.`;
  if (closed(rule, facts) !== null && closed(by, facts) === null) return `“${by.name}” is as specific and allows at this hour.`;
  return `“${by.name}” is as specific and stricter.`;
}

function sameRole(a: string, b: string | null): boolean {
  return b !== null && a.normalize('NFC').toLowerCase() === b.normalize('NFC').trim().toLowerCase();
}
