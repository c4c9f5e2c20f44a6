import { createHash } from 'node:crypto';
import { AccountError } from '../accounts/account-driver.ts';
import type { AccountFiles, PasswdEntry } from '../accounts/account-files.ts';
import { checkedName, markedId } from '../accounts/account-name.domain.ts';
import { adminGroup, rootLikeGroups } from '../accounts/observe.domain.ts';
import { passwordMatches } from '../accounts/password-check.ts';
import { firstPersonUid, type ShadowTools } from '../accounts/shadow-tools.ts';
import type { LapsAccountRef, LapsDriver, SeenLapsAccount } from './laps-driver.ts';
import { lapsMarkedId, withLapsMark } from './laps-mark.domain.ts';
import { findingOf } from './linux-finding.ts';
import { otherLaps } from './other-laps.ts';

const day = 86_400_000;

/** Break-glass accounts of a Linux system, by shadow's own tools. */
export class LinuxLapsDriver implements LapsDriver {
  readonly #tools: ShadowTools;

  constructor(tools: ShadowTools) {
    this.#tools = tools;
  }

  async see(ref: LapsAccountRef, enabled: boolean): Promise<SeenLapsAccount> {
    const other = otherLaps(this.#tools.etc, checkedName(ref.name));
    if (other !== null) return { is: 'REFUSED', problem: other };
    const files = await this.#tools.read();
    const entry = files.passwd.find(({ name }) => name === ref.name);
    if (!entry) return { is: 'ABSENT' };
    if (markedId(entry.gecos) !== null)
      return { is: 'REFUSED', problem: `${ref.name} is an account for just-in-time logins. Set another name for the break-glass account.` };
    // A mark of an earlier enrolment of this computer is ours, too. Where the mark was taken away, name and number tell.
    if (lapsMarkedId(entry.gecos) === null && ref.uid !== entry.uid)
      return { is: 'FOREIGN', finding: findingOf(this.#tools.root, files, entry) };
    const hash = files.shadow.get(entry.name)?.hash ?? '';
    const inOrder = lapsMarkedId(entry.gecos) === ref.id && isUsable(files, entry) === enabled && (enabled || isHarmless(files, entry));
    return { is: 'OURS', uid: entry.uid, hashDigest: digest(unlocked(hash)), inOrder };
  }

  async make(ref: LapsAccountRef): Promise<void> {
    if (!(await this.#tools.add(ref.name, withLapsMark('Stint break-glass account', ref.id))))
      throw new AccountError(`The name ${ref.name} is taken on this computer by an account of another kind, perhaps of a directory.`);
  }

  async takeOver(ref: LapsAccountRef): Promise<void> {
    const entry = await this.#entry(ref.name);
    await this.#tools.modify(entry.name, '-c', withLapsMark(entry.gecos, ref.id));
    if (lapsMarkedId((await this.#entry(ref.name)).gecos) !== ref.id)
      throw new AccountError(`The tools reported success, but ${ref.name} does not carry the mark.`);
  }

  setPassword(name: string, password: string): Promise<void> {
    return this.#tools.setPassword(name, password);
  }

  async verifyPassword(name: string, password: string): Promise<boolean | null> {
    const hash = (await this.#tools.read()).shadow.get(name)?.hash;
    return hash === undefined ? false : passwordMatches(unlocked(hash), password, this.#tools.run);
  }

  async arrange(ref: LapsAccountRef, enabled: boolean): Promise<void> {
    const entry = await this.#entry(ref.name);
    if (lapsMarkedId(entry.gecos) !== ref.id) await this.takeOver(ref);
    if (enabled) await this.#enable(entry);
    else await this.#disable(entry);
    const seen = await this.see({ ...ref, uid: entry.uid }, enabled);
    if (seen.is !== 'OURS' || !seen.inOrder)
      throw new AccountError(`The tools reported success, but ${ref.name} is not ${enabled ? 'usable' : 'locked'} in the system's files.`);
  }

  async #enable(entry: PasswdEntry): Promise<void> {
    if (isOfTheSystem(entry)) return this.#tools.modify(entry.name, '-U');
    const admins = adminGroup(await this.#tools.read());
    if (admins === null) throw new AccountError('This system has neither a group "sudo" nor a group "wheel".');
    await this.#tools.modify(entry.name, '-a', '-G', admins.name);
    this.#tools.makeHome(entry);
    await this.#tools.modify(entry.name, '-U', '-e', '');
  }

  async #disable(entry: PasswdEntry): Promise<void> {
    // root and accounts of services: expired they would stop working; only nobody logs in with the password.
    if (isOfTheSystem(entry)) return this.#tools.modify(entry.name, '-L');
    await this.#tools.modify(entry.name, '-L', '-e', '1');
    for (const group of (await this.#tools.read()).group)
      if (rootLikeGroups.includes(group.name) && group.members.includes(entry.name)) await this.#tools.leaveGroup(entry.name, group.name);
  }

  async #entry(name: string): Promise<PasswdEntry> {
    const entry = (await this.#tools.read()).passwd.find((each) => each.name === name);
    if (!entry) throw new AccountError(`There is no account ${name}.`);
    return entry;
  }
}

function isOfTheSystem(entry: PasswdEntry): boolean {
  return entry.uid < firstPersonUid;
}

/** Whether somebody with the password can log in and be an administrator. */
function isUsable(files: AccountFiles, entry: PasswdEntry): boolean {
  const shadow = files.shadow.get(entry.name);
  if (!shadow || /^[!*]/.test(shadow.hash)) return false;
  if (isOfTheSystem(entry)) return true;
  const expired = shadow.expireDay !== null && shadow.expireDay > 0 && Date.now() / day >= shadow.expireDay;
  const admins = adminGroup(files);
  return !expired && admins !== null && isIn(entry, admins);
}

/** Locked, expired and in no group that makes an administrator. */
function isHarmless(files: AccountFiles, entry: PasswdEntry): boolean {
  const shadow = files.shadow.get(entry.name);
  if (!shadow || !/^[!*]/.test(shadow.hash)) return false;
  if (isOfTheSystem(entry)) return true;
  return shadow.expireDay === 1 && files.group.every((group) => !rootLikeGroups.includes(group.name) || !isIn(entry, group));
}

function isIn(entry: PasswdEntry, group: AccountFiles['group'][number]): boolean {
  return group.members.includes(entry.name) || group.gid === entry.gid;
}

function unlocked(hash: string): string {
  return hash.replace(/^!+/, '');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
