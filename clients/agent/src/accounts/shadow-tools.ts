import { existsSync, mkdirSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { AccountError } from './account-driver.ts';
import { readAccountFiles, type AccountFiles, type PasswdEntry } from './account-files.ts';
import { isPrivateRoot } from './private-root.ts';
import { clearStaleLocks } from './stale-locks.ts';
import { findTool, runDirectly, runInNamespace, type RunTool, type ToolResult } from './tool-runner.ts';

const lockTries = 3;
const nameIsTaken = 9;

/** The number of the first account that is a person's; those below belong to the system. */
export const firstPersonUid = 1000;

export interface ShadowToolsOptions {
  /** A private root made by `createPrivateRoot`; without one, the real system, for which the agent must be root. */
  root?: string | undefined;
  /** Runs the tools; another one only in tests. */
  run?: RunTool;
}

/** The account files of one Linux system, and shadow's tools (useradd, usermod, chpasswd …) to change them with. */
export class ShadowTools {
  /** Null: the real system. */
  readonly root: string | null;
  readonly etc: string;
  readonly run: RunTool;

  constructor(options: ShadowToolsOptions = {}) {
    this.root = options.root ?? null;
    if (this.root !== null && !isPrivateRoot(this.root))
      throw new AccountError(`${this.root} is not a private root. Make one with: stint-agent private-root ${this.root}`);
    if (this.root === null && process.getuid?.() !== 0)
      throw new AccountError('Real accounts need root. Run as root, or name a private root with --root.');
    this.etc = join(this.root ?? '/', 'etc');
    this.run = options.run ?? (this.root === null ? runDirectly : runInNamespace);
  }

  read(): Promise<AccountFiles> {
    return readAccountFiles(this.etc);
  }

  /** Makes an account that cannot be used yet: expired, without a password. False: the name is taken. */
  async add(name: string, comment: string): Promise<boolean> {
    const home = this.root === null ? ['-m', '-K', 'HOME_MODE=0700'] : ['-M', '-l'];
    const shell = findTool('bash') ?? '/bin/sh';
    // useradd itself judges whether the name is taken, name services included: no account is ever taken over.
    const { code } = await this.#tool('useradd', [...this.#prefix, ...home, '-N', '-s', shell, '-c', comment, '-e', '1', name], {
      fine: [nameIsTaken],
    });
    return code !== nameIsTaken;
  }

  async modify(name: string, ...args: string[]): Promise<void> {
    await this.#tool('usermod', [...this.#prefix, ...args, name]);
  }

  async setPassword(name: string, password: string): Promise<void> {
    const args = this.root === null ? [] : ['-c', 'SHA512', '--root', this.root];
    await this.#tool('chpasswd', args, { input: `${name}:${password}\n`, secret: password });
  }

  async leaveGroup(member: string, groupName: string): Promise<void> {
    await this.#tool('gpasswd', [...(this.root === null ? [] : ['--root', this.root]), '-d', member, groupName]);
  }

  async delete(name: string): Promise<void> {
    await this.#tool('userdel', this.root === null ? ['-r', name] : [...this.#prefix, name], { fine: [6, 12] });
  }

  /** useradd makes the home; this is for an account whose useradd was killed before that. */
  makeHome(entry: PasswdEntry): void {
    if (this.root !== null || !entry.home.startsWith('/home/') || existsSync(entry.home)) return;
    mkdirSync(entry.home, { mode: 0o700 });
    chownSync(entry.home, entry.uid, entry.gid);
  }

  get #prefix(): string[] {
    return this.root === null ? [] : ['--prefix', this.root];
  }

  /** Runs a tool; waits while another one holds the account files; anything but exit code 0 or `fine` becomes an AccountError in the tool's words. */
  async #tool(
    tool: string,
    args: string[],
    { input, secret, fine = [] }: { input?: string; secret?: string; fine?: number[] } = {},
  ): Promise<ToolResult> {
    for (let attempt = 1; ; attempt++) {
      // The tools themselves wait 15 seconds for a lock; one that nobody holds is cleared before that.
      clearStaleLocks(this.etc, Date.now());
      const result = await this.run(tool, args, input);
      if (result.code === 0 || fine.includes(result.code)) return result;
      const said = result.stderr.trim();
      if (!/cannot lock|try again later/.test(said) || attempt === lockTries) {
        const words = (secret === undefined ? said : said.replaceAll(secret, '***')).slice(0, 400);
        throw new AccountError(`${tool} ended with code ${result.code}${words === '' ? '.' : `: ${words}`}`);
      }
    }
  }
}
