import { email, sourceRoles, type SourceRole } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { bearsMark } from '../account/account.domain.ts';
import type { DirectoryPerson, PersonChange } from '../graph/groups.port.ts';

/** A group of the Entra tenant that was chosen: its people are put into a technician group, and hold a role if one is set. */
export interface ChosenGroup {
  /** Object id in Entra. */
  groupId: string;
  /** Its name there when it was last seen: for people to read, never to find it by. */
  label: string;
  technicianGroupId: Id;
  role: SourceRole | null;
}

/** A person as Entra tells, as far as it counts here. */
export interface PersonFacts {
  mail: string | null;
  upn: string;
  name: string;
  enabled: boolean;
  guest: boolean;
  /** Made by Stint: bears its mark. */
  stint: boolean;
}

/** What services/tenants is told of a person. */
export interface Wanted {
  email: string;
  displayName: string;
  present: boolean;
  groupIds: Id[];
  roles: SourceRole[];
}

/** Why somebody does not come. DISABLED: or deleted. */
export type SkipReason = 'BREAK_GLASS' | 'GUEST' | 'STINT_ACCOUNT' | 'NO_ADDRESS' | 'DISABLED';

/** What a reading would change about a person. SKIPPED: does not come, and needs nobody's yes for that. */
export type ChangeKind = 'SAME' | 'ADDED' | 'CHANGED' | 'LEAVES' | 'RETURNS' | 'SKIPPED';

const unprintable = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;
const longestName = 100;

export function factsOf(person: Omit<DirectoryPerson, 'id'>): PersonFacts {
  return {
    ...{ mail: person.email, upn: person.userPrincipalName, name: person.displayName, enabled: person.enabled },
    ...{ guest: person.userType === 'GUEST', stint: bearsMark(person.marker) },
  };
}

/** The facts after a delta, which tells only what has changed. */
export function afterChange(facts: PersonFacts, change: PersonChange): PersonFacts {
  return {
    mail: change.email === undefined ? facts.mail : change.email,
    upn: change.userPrincipalName ?? facts.upn,
    name: change.displayName ?? facts.name,
    enabled: change.enabled ?? facts.enabled,
    guest: change.userType === undefined ? facts.guest : change.userType === 'GUEST',
    stint: change.marker === undefined ? facts.stint : bearsMark(change.marker),
  };
}

/** The address by which a person signs in here: `mail`, else the user principal name, as far as it is one; null for none. */
export function addressOf({ mail, upn }: Pick<PersonFacts, 'mail' | 'upn'>): string | null {
  return [mail, upn].map((one) => email.safeParse(one ?? '').data).find((one) => one !== undefined) ?? null;
}

/** The name that people see: on one line, without what cannot be seen, at most 100 characters. */
export function nameOf(name: string, address: string): string {
  const shown = name.normalize('NFC').replaceAll(unprintable, '').trim();
  const cut = shown.length > longestName ? shown.slice(0, longestName).toWellFormed().replaceAll('\uFFFD', '').trim() : shown;
  return cut === '' ? (address.split('@')[0] ?? address) : cut;
}

/** What a person must be here, and why they do not come if they do not. `told` is what was said of them last. */
export function wantedOf(
  person: { facts: PersonFacts | null; deleted: boolean; groupIds: readonly string[]; isProtected: boolean },
  chosen: readonly ChosenGroup[],
  told: Wanted | null,
): { wanted: Wanted | null; why: SkipReason | null } {
  const { facts } = person;
  const groups = chosen.filter(({ groupId }) => person.groupIds.includes(groupId));
  const absent = told === null ? null : { ...told, present: false, groupIds: [], roles: [] };
  if (facts === null || person.deleted || groups.length === 0) return { wanted: absent, why: null };
  const address = addressOf(facts) ?? told?.email ?? null;
  const why = whyNot(person.isProtected, facts, address);
  if (why !== null || address === null) return { wanted: absent, why };
  return {
    wanted: {
      ...{ email: address, displayName: nameOf(facts.name, address), present: true },
      groupIds: [...new Set(groups.map(({ technicianGroupId }) => technicianGroupId))].sort(),
      roles: sourceRoles.filter((role) => groups.some((group) => group.role === role)),
    },
    why: null,
  };
}

function whyNot(isProtected: boolean, facts: PersonFacts, address: string | null): SkipReason | null {
  if (isProtected) return 'BREAK_GLASS';
  if (facts.stint) return 'STINT_ACCOUNT';
  if (facts.guest) return 'GUEST';
  if (address === null) return 'NO_ADDRESS';
  return facts.enabled ? null : 'DISABLED';
}

/** What going from `told` to `wanted` is to the person. */
export function changeOf(told: Wanted | null, wanted: Wanted | null, why: SkipReason | null): ChangeKind {
  const was = told?.present === true;
  const is = wanted?.present === true;
  if (was !== is) return was ? 'LEAVES' : told === null ? 'ADDED' : 'RETURNS';
  if (!is) return why === null ? 'SAME' : 'SKIPPED';
  return JSON.stringify(canonical(told)) === JSON.stringify(canonical(wanted)) ? 'SAME' : 'CHANGED';
}

function canonical(wanted: Wanted | null): unknown[] {
  return wanted === null ? [] : [wanted.email, wanted.displayName, wanted.present, wanted.groupIds, wanted.roles];
}
