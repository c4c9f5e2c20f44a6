import { chownSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
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
import { readAccountFiles, type AccountFiles, type PasswdEntry } from './account-files.ts';
import { candidateName, comment, markedId } from './account-name.domain.ts';
import { adminGroup, deadManDay, observe } from './observe.domain.ts';
import { passwordMatches } from './password-check.ts';
import { isPrivateRoot } from './private-root.ts';
import { clearStaleLocks } from './stale-locks.ts';
import { SudoDropIns } from './sudo-drop-in.ts';
import { findTool, runDirectly, runInNamespace, type RunTool, type ToolResult } from './tool-runner.ts';

const expired = '1';
const lockTries = 3;
const nameTries = 99;
const firstPersonUid = 1000;

export interface LinuxDriverOptions {
  /** A private root made by `createPrivateRoot`; without one, the real system, for which the agent must be root. */
  root?: string | undefined;
  /** Runs the tools; another one only in tests. */
  run?: RunTool;
}

/** Accounts of a Linux system, by shadow's own tools (useradd, usermod, chpasswd, userdel). */
export class LinuxDriver implements AccountDriver {
  readonly #root: string | null;
  readonly #etc: string;
  readonly #run: RunTool;
  readonly #dropIns: SudoDropIns;

  constructor(options: LinuxDriverOptions = {}) {
    this.#root = options.root ?? null;
    if (this.#root !== null && !isPrivateRoot(this.#root))
      throw new AccountError(`${this.#root} is not a private root. Make one with: stint-agent private-root ${this.#root}`);
    if (this.#root === null && process.getuid?.() !== 0)
      throw new AccountError('Real accounts need root. Run as root, or name a private root with --root.');
    this.#etc = join(this.#root ?? '/', 'etc');
    this.#run = options.run ?? (this.#root === null ? runDirectly : runInNamespace);
    this.#dropIns = new SudoDropIns(this.#etc, this.#run);
  }

  async read(known: readonly AccountRef[] = []): Promise<ObservedAccount[]> {
    const files = await readAccountFiles(this.#etc);
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
    const files = await readAccountFiles(this.#etc);
    const admins = adminGroup(files);
    if (admins === null) throw new AccountError('This system has neither a group "sudo" nor a group "wheel".');
    // Until the last step the account stays expired, so that nothing in between can be used or left usable by a crash.
    if (files.shadow.get(name)?.expireDay !== 1) await this.#tool('usermod', [...this.#prefix(), '-L', '-e', expired, name]);
    // By name: usermod of shadow 4.13 with --prefix aborts on a number. The name is one of two fixed ones, and reading back goes by number.
    await this.#tool('usermod', [...this.#prefix(), '-a', '-G', admins.name, name]);
    await this.#dropIns.add(order.accountId, name);
    await this.#tool(
      'chpasswd',
      this.#root === null ? [] : ['-c', 'SHA512', '--root', this.#root],
      `${name}:${order.password}\n`,
      order.password,
    );
    const passwordVerified = await this.verifyPassword(name, order.password);
    if (passwordVerified === false) throw new AccountError(`The password of ${name} that the system stored is not the one that was set.`);
    if (this.#root === null) makeHome(entry);
    await this.#tool('usermod', [...this.#prefix(), '-U', '-e', String(deadManDay(order.endsAtMs)), name]);
    const seen = (await this.read()).find((account) => account.accountId === order.accountId && account.name === name);
    if (seen?.state !== 'ENABLED')
      throw new AccountError(`The tools reported success, but ${name} is ${seen?.state ?? 'ABSENT'} in the system's files.`);
    return { name, uid: entry.uid, passwordVerified };
  }

  async prolong(accountId: string, endsAtMs: number): Promise<void> {
    const day = deadManDay(endsAtMs);
    const files = await readAccountFiles(this.#etc);
    const entry = files.passwd.find(({ gecos }) => markedId(gecos) === accountId);
    if (!entry || this.#state(files, entry, accountId) !== 'ENABLED') return;
    if ((files.shadow.get(entry.name)?.expireDay ?? day) >= day) return;
    await this.#tool('usermod', [...this.#prefix(), '-e', String(day), entry.name]);
  }

  async disable(account: AccountRef): Promise<void> {
    for (const entry of await this.#all(account)) {
      this.#dropIns.remove(account.accountId);
      // One call: locks the password, expires the account (keys and other ways in that ask no password), leaves every extra group.
      await this.#tool('usermod', [...this.#prefix(), '-L', '-e', expired, '-G', '', entry.name]);
      if (this.#root === null) await this.#endProcesses(entry);
    }
    this.#dropIns.remove(account.accountId);
  }

  async remove(account: AccountRef): Promise<void> {
    await this.disable(account);
    for (const entry of await this.#all(account)) {
      await this.#tool(
        'userdel',
        this.#root === null ? ['-r', entry.name] : [...this.#prefix(), entry.name],
        undefined,
        undefined,
        [6, 12],
      );
    }
  }

  async verifyPassword(name: string, password: string): Promise<boolean | null> {
    const hash = (await readAccountFiles(this.#etc)).shadow.get(name)?.hash;
    return hash === undefined ? false : passwordMatches(hash, password, this.#run);
  }

  async privileged(): Promise<PrivilegedSnapshot> {
    const files = await readAccountFiles(this.#etc);
    return { ...privilegedMembers(files), ...privilegedFiles(this.#root, files) };
  }

  async removePrivileged(changes: readonly PrivilegedChange[]): Promise<void> {
    for (const { groupName, member } of removable(changes, await readAccountFiles(this.#etc)))
      await this.#tool('gpasswd', [...(this.#root === null ? [] : ['--root', this.#root]), '-d', member, groupName]);
  }

  async #create(order: EnableOrder): Promise<PasswdEntry> {
    const home = this.#root === null ? ['-m', '-K', 'HOME_MODE=0700'] : ['-M', '-l'];
    const shell = findTool('bash') ?? '/bin/sh';
    const fixed = [...this.#prefix(), ...home, '-N', '-s', shell, '-c', comment(order.displayName, order.accountId), '-e', expired];
    for (let attempt = 1; attempt <= nameTries; attempt++) {
      const name = candidateName(order.name, attempt);
      // useradd itself judges whether the name is taken (exit code 9), name services included: no account is ever taken over.
      const { code } = await this.#tool('useradd', [...fixed, name], undefined, undefined, [9]);
      const entry = await this.#find(order.accountId);
      if (entry) return entry;
      if (code === 0) throw new AccountError(`useradd reported success, but ${name} is not in the system's files.`);
    }
    throw new AccountError(
      `The names ${order.name} to ${candidateName(order.name, nameTries)} are all taken by accounts that are not Stint's.`,
    );
  }

  async #find(accountId: string): Promise<PasswdEntry | undefined> {
    return (await readAccountFiles(this.#etc)).passwd.find((entry) => markedId(entry.gecos) === accountId);
  }

  async #all(account: AccountRef): Promise<PasswdEntry[]> {
    return (await readAccountFiles(this.#etc)).passwd.filter((entry) => ownedBy(entry, [account]) === account.accountId);
  }

  #state(files: AccountFiles, entry: PasswdEntry, accountId: string): ObservedAccount['state'] {
    const state = observe(files, entry, Date.now(), { dropInsUsed: this.#dropIns.used, hasDropIn: this.#dropIns.has(accountId) });
    const leftOver = state === 'DISABLED' && this.#root === null && mayEndProcesses(files, entry) && processesOf(entry.uid).length > 0;
    return leftOver ? 'PARTIAL' : state;
  }

  async #endProcesses(entry: PasswdEntry): Promise<void> {
    const files = await readAccountFiles(this.#etc);
    if (mayEndProcesses(files, entry)) await endProcessesOf(entry.uid);
  }

  #prefix(): string[] {
    return this.#root === null ? [] : ['--prefix', this.#root];
  }

  /** Runs a tool; waits while another one holds the account files; anything but exit code 0 or `fine` becomes an AccountError in the tool's words. */
  async #tool(tool: string, args: string[], input?: string, secret?: string, fine: number[] = []): Promise<ToolResult> {
    for (let attempt = 1; ; attempt++) {
      // The tools themselves wait 15 seconds for a lock; one that nobody holds is cleared before that.
      clearStaleLocks(this.#etc, Date.now());
      const result = await this.#run(tool, args, input);
      if (result.code === 0 || fine.includes(result.code)) return result;
      const said = result.stderr.trim();
      if (!/cannot lock|try again later/.test(said) || attempt === lockTries) {
        const words = (secret === undefined ? said : said.replaceAll(secret, '***')).slice(0, 400);
        throw new AccountError(`${tool} ended with code ${result.code}${words === '' ? '.' : `: ${words}`}`);
      }
    }
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

/** useradd makes it; this is for an account whose useradd was killed before that. */
function makeHome(entry: PasswdEntry): void {
  if (!entry.home.startsWith('/home/') || existsSync(entry.home)) return;
  mkdirSync(entry.home, { mode: 0o700 });
  chownSync(entry.home, entry.uid, entry.gid);
}
