import type { PrivilegedChange } from '../privileged/privileged.domain.ts';

const mostGroups = 50;
const mostNames = 100;
const longestName = 64;
const takenName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;

/**
 * Changes of privileged groups, as many and as long as the server takes: at most 50 groups and 100 names in all, additions
 * first. Whoever has rights can put any number of names of any length there, and must not keep the report from arriving;
 * what is left out is counted.
 */
export function sendableChanges(changes: readonly PrivilegedChange[]): PrivilegedChange[] {
  let left = mostNames;
  const taken = (names: readonly string[]) => {
    const some = names.slice(0, left).map(short);
    left -= some.length;
    return names.length > some.length ? [...some, `and ${names.length - some.length} more`] : some;
  };
  const groups = changes.slice(0, mostGroups).toSorted((a, b) => Number(b.added.length > 0) - Number(a.added.length > 0));
  const added = groups.map((change) => taken(change.added));
  return groups.map((change, index) => ({ groupName: short(change.groupName), added: added[index] ?? [], removed: taken(change.removed) }));
}

/** An account's name as the server takes it; null for one that somebody changed into what is no such name. */
export function sendableName(name: string | null): string | null {
  return name !== null && takenName.test(name) ? name : null;
}

/** A name that must be told, whatever somebody made of it. */
export function toldName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_.-]/gu, '_').slice(0, 64);
  return sendableName(plain) ?? `_${plain.slice(1)}`;
}

function short(name: string): string {
  const points = [...name];
  return points.length > longestName ? `${points.slice(0, longestName - 1).join('')}…` : name;
}
