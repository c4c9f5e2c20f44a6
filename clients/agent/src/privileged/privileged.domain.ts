import { z } from 'zod';
import type { AccountFiles } from '../accounts/account-files.ts';
import { markedId } from '../accounts/account-name.domain.ts';
import { rootLikeGroups } from '../accounts/observe.domain.ts';

/** Everything that makes an administrator here, at one moment: per name of a group or of a kind of file, its members. */
export const privilegedSnapshot = z.record(z.string(), z.array(z.string()));
export type PrivilegedSnapshot = z.infer<typeof privilegedSnapshot>;

/** What changed in one of them between two moments. */
export const privilegedChange = z.object({ groupName: z.string(), added: z.array(z.string()), removed: z.array(z.string()) });
export type PrivilegedChange = z.infer<typeof privilegedChange>;

/** Entries of a snapshot that are no groups: members of these are never removed by the agent, only told. */
export const userIdZero = 'uid 0';
export const sudoRules = 'sudoers';
export const rootKeys = "root's authorized_keys";

/**
 * The members of all privileged groups as the files say it: listed by name, or by their primary group's number. Names that
 * belong to no account any more stay what they are, a name. Stint's own accounts are not news, unless one has the number 0.
 */
export function privilegedMembers(files: AccountFiles, breakGlassNames: readonly string[] = []): PrivilegedSnapshot {
  const own = new Set([...breakGlassNames, ...files.passwd.filter(({ gecos }) => markedId(gecos) !== null).map(({ name }) => name)]);
  const news = (names: string[]) => [...new Set(names)].filter((name) => !own.has(name)).sort();
  const groups = files.group
    .filter(({ name, gid }) => gid === 0 || rootLikeGroups.includes(name))
    .map(({ name, gid, members }) => {
      const primary = files.passwd.filter((entry) => entry.gid === gid && entry.uid !== 0).map((entry) => entry.name);
      return [name, news([...members, ...primary])] as const;
    });
  const zero = files.passwd.filter(({ uid }) => uid === 0).map(({ name }) => name);
  return Object.fromEntries([...groups, [userIdZero, [...new Set(zero)].sort()]]);
}

/** What is in `after` and was not in `before`, and the other way round; entries without a difference are left out. */
export function privilegedDifference(before: PrivilegedSnapshot, after: PrivilegedSnapshot): PrivilegedChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((groupName) => {
    const [was, is] = [before[groupName] ?? [], after[groupName] ?? []];
    const added = is.filter((name) => !was.includes(name));
    const removed = was.filter((name) => !is.includes(name));
    return added.length + removed.length > 0 ? [{ groupName, added, removed }] : [];
  });
}

/** The memberships to take away again: only of groups, only by being listed there, only what was added. */
export function removable(changes: readonly PrivilegedChange[], files: AccountFiles): { groupName: string; member: string }[] {
  return changes.flatMap(({ groupName, added }) => {
    const listed = files.group.find(({ name }) => name === groupName)?.members ?? [];
    return added.filter((member) => listed.includes(member)).map((member) => ({ groupName, member }));
  });
}
