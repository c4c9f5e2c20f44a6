import type { Observed } from '../desired-state/plan.domain.ts';
import type { AccountFiles, GroupEntry, PasswdEntry } from './account-files.ts';

/** The groups that make an administrator, the first that exists being the one that is used. */
const adminGroups = ['sudo', 'wheel'];
/** Groups whose members are as good as root; an ended account must be in none of them. */
export const rootLikeGroups = [...adminGroups, 'admin', 'root', 'docker', 'lxd', 'libvirt', 'disk', 'shadow'];
const dayMs = 86_400_000;

/** The group that makes an administrator here, or null. */
export function adminGroup(files: AccountFiles): GroupEntry | null {
  for (const name of adminGroups) {
    const found = files.group.find((group) => group.name === name);
    if (found) return found;
  }
  return null;
}

/** What the files say about one account, apart from its processes. */
export function observe(
  files: AccountFiles,
  account: PasswdEntry,
  nowMs: number,
  sudo: { dropInsUsed: boolean; hasDropIn: boolean },
): Exclude<Observed, 'ABSENT'> {
  const shadow = files.shadow.get(account.name);
  // Locked is what crypt(3) can never produce. An empty hash lets everybody in; no shadow entry at all is a crash of useradd in the middle.
  const locked = shadow !== undefined && /^[!*]/.test(shadow.hash);
  const expired = shadow?.expireDay != null && shadow.expireDay > 0 && Math.floor(nowMs / dayMs) >= shadow.expireDay;
  const isIn = (group: GroupEntry | null | undefined) =>
    group != null && (group.members.includes(account.name) || group.gid === account.gid);
  const rootLike =
    account.uid === 0 ||
    sudo.hasDropIn ||
    files.group.some((group) => (rootLikeGroups.includes(group.name) || group.gid === 0) && isIn(group));
  if (locked && expired && !rootLike) return 'DISABLED';
  const admin = isIn(adminGroup(files)) && (sudo.hasDropIn || !sudo.dropInsUsed);
  return shadow !== undefined && shadow.hash !== '' && !locked && !expired && admin ? 'ENABLED' : 'PARTIAL';
}

/** The day from which the system itself refuses the account: the first whole UTC day after its end (shadow(5) counts days only). */
export function deadManDay(endsAtMs: number): number {
  return Math.floor(endsAtMs / dayMs) + 1;
}
