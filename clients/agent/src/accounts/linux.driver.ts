import { privilegedFiles } from '../privileged/privileged-files.ts';
import { privilegedMembers, removable, type PrivilegedChange, type PrivilegedSnapshot } from '../privileged/privileged.domain.ts';
import { endProcessesOf, processesOf } from '../processes/user-processes.ts';
import {
  AccountError,
  type AccountDriver,
  type AccountRef,
  type EnabledAccount,
  type EnableOrder,
  type ObservedAccount,
} from './account-driver.ts';
import type { AccountFiles, PasswdEntry } from './account-files.ts';
import { candidateName, comment, markedId } from './account-name.domain.ts';
import { adminGroup, deadManDay, observe } from './observe.domain.ts';
import { passwordMatches } from './password-check.ts';
import { firstPersonUid, ShadowTools, type ShadowToolsOptions } from './shadow-tools.ts';
import { SudoDropIns } from './sudo-drop-in.ts';

const expired = '1';
const nameTries = 99;

export interface LinuxDriverOptions extends ShadowToolsOptions {
  /** Names of the break-glass accounts that the agent keeps: that they are administrators is no news. */
  breakGlassNames?: () => readonly string[];
}

/** Accounts of a Linux system, by shadow's own tools (useradd, usermod, chpasswd, userdel). */
export class LinuxDriver implements AccountDriver {
  readonly #tools: ShadowTools;
  readonly #dropIns: SudoDropIns;
  readonly #breakGlassNames: () => readonly string[];

  constructor(options: LinuxDriverOptions = {}) {
    this.#tools = new ShadowTools(options);
    this.#dropIns = new SudoDropIns(this.#tools.etc, this.#tools.run);
    this.#breakGlassNames = options.breakGlassNames ?? (() => []);
  }

  async read(known: readonly AccountRef[] = []): Promise<ObservedAccount[]> {
    const files = await this.#tools.read();
    return files.passwd.flatMap((entry) => {
      const accountId = ownedBy(entry, known);
      return accountId === null ? [] : [{ accountId, name: entry.name, uid: entry.uid, state: this.#state(files, entry, accountId) }];
    });
  }

  async enable(order: EnableOrder): Promise<EnabledAccount> {
    candidateName(order.name, 1);
    const entry = (await this.#find(order.accountId)) ?? (await this.#create(order));
    const { name } = entry;
    if (entry.uid < firstPersonUid)
      throw new AccountError(
        `${name} has the number ${entry.uid}, which belongs to the system. It was changed by someone; it is not enabled.`,
      );
    const files = await this.#tools.read();
    const admins = adminGroup(files);
    if (admins === null) throw new AccountError('This system has neither a group "sudo" nor a group "wheel".');
    // Until the last step the account stays expired, so that nothing in between can be used or left usable by a crash.
    if (files.shadow.get(name)?.expireDay !== 1) await this.#tools.modify(name, '-L', '-e', expired);
    // By name: usermod of shadow 4.13 with --prefix aborts on a number. The name is one of two fixed ones, and reading back goes by number.
    await this.#tools.modify(name, '-a', '-G', admins.name);
    await this.#dropIns.add(order.accountId, name);
    await this.#tools.setPassword(name, order.password);
    const passwordVerified = await this.verifyPassword(name, order.password);
    if (passwordVerified === false) throw new AccountError(`The password of ${name} that the system stored is not the one that was set.`);
    this.#tools.makeHome(entry);
    await this.#tools.modify(name, '-U', '-e', String(deadManDay(order.endsAtMs)));
    const seen = (await this.read()).find((account) => account.accountId === order.accountId && account.name === name);
    if (seen?.state !== 'ENABLED')
      throw new AccountError(`The tools reported success, but ${name} is ${seen?.state ?? 'ABSENT'} in the system's files.`);
    return { name, uid: entry.uid, passwordVerified };
  }

  async prolong(accountId: string, endsAtMs: number): Promise<void> {
    const day = deadManDay(endsAtMs);
    const files = await this.#tools.read();
    const entry = files.passwd.find(({ gecos }) => markedId(gecos) === accountId);
    if (!entry || this.#state(files, entry, accountId) !== 'ENABLED') return;
    if ((files.shadow.get(entry.name)?.expireDay ?? day) >= day) return;
    await this.#tools.modify(entry.name, '-e', String(day));
  }

  async disable(account: AccountRef): Promise<void> {
    for (const entry of await this.#all(account)) {
      this.#dropIns.remove(account.accountId);
      // One call: locks the password, expires the account (keys and other ways in that ask no password), leaves every extra group.
      await this.#tools.modify(entry.name, '-L', '-e', expired, '-G', '');
      if (this.#tools.root === null) await this.#endProcesses(entry);
    }
    this.#dropIns.remove(account.accountId);
  }

  async remove(account: AccountRef): Promise<void> {
    await this.disable(account);
    for (const entry of await this.#all(account)) {
      await this.#tools.delete(entry.name);
    }
  }

  async verifyPassword(name: string, password: string): Promise<boolean | null> {
    const hash = (await this.#tools.read()).shadow.get(name)?.hash;
    return hash === undefined ? false : passwordMatches(hash, password, this.#tools.run);
  }

  async privileged(): Promise<PrivilegedSnapshot> {
    const files = await this.#tools.read();
    return { ...privilegedMembers(files, this.#breakGlassNames()), ...privilegedFiles(this.#tools.root, files) };
  }

  async removePrivileged(changes: readonly PrivilegedChange[]): Promise<void> {
    for (const { groupName, member } of removable(changes, await this.#tools.read())) await this.#tools.leaveGroup(member, groupName);
  }

  async #create(order: EnableOrder): Promise<PasswdEntry> {
    for (let attempt = 1; attempt <= nameTries; attempt++) {
      const name = candidateName(order.name, attempt);
      const isAdded = await this.#tools.add(name, comment(order.displayName, order.accountId));
      const entry = await this.#find(order.accountId);
      if (entry) return entry;
      if (isAdded) throw new AccountError(`useradd reported success, but ${name} is not in the system's files.`);
    }
    throw new AccountError(
      `The names ${order.name} to ${candidateName(order.name, nameTries)} are all taken by accounts that are not Stint's.`,
    );
  }

  async #find(accountId: string): Promise<PasswdEntry | undefined> {
    return (await this.#tools.read()).passwd.find((entry) => markedId(entry.gecos) === accountId);
  }

  async #all(account: AccountRef): Promise<PasswdEntry[]> {
    return (await this.#tools.read()).passwd.filter((entry) => ownedBy(entry, [account]) === account.accountId);
  }

  #state(files: AccountFiles, entry: PasswdEntry, accountId: string): ObservedAccount['state'] {
    const state = observe(files, entry, Date.now(), { dropInsUsed: this.#dropIns.used, hasDropIn: this.#dropIns.has(accountId) });
    const leftOver =
      state === 'DISABLED' && this.#tools.root === null && mayEndProcesses(files, entry) && processesOf(entry.uid).length > 0;
    return leftOver ? 'PARTIAL' : state;
  }

  async #endProcesses(entry: PasswdEntry): Promise<void> {
    const files = await this.#tools.read();
    if (mayEndProcesses(files, entry)) await endProcessesOf(entry.uid);
  }
}

/** Whose account this is: by its mark, or, where the mark was taken away, by name and number together. */
function ownedBy(entry: PasswdEntry, known: readonly AccountRef[]): string | null {
  const marked = markedId(entry.gecos);
  if (marked !== null) return marked;
  return known.find(({ name, uid }) => name === entry.name && uid === entry.uid)?.accountId ?? null;
}

/** A number that the system or another account uses too says nothing about whose process it is. */
function mayEndProcesses(files: AccountFiles, entry: PasswdEntry): boolean {
  return entry.uid >= firstPersonUid && files.passwd.every((other) => other.uid !== entry.uid || other.name === entry.name);
}
