import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '../state/durable-file.ts';
import { AccountError } from './account-driver.ts';
import { findTool, type RunTool } from './tool-runner.ts';

/** The name of an account's drop-in. */
export function dropInFile(accountId: string): string {
  return `stint-${accountId}`;
}

/** What an account's drop-in says. */
export function dropInText(name: string): string {
  return `# Made by stint-agent for one session; removed at its end.\n${name} ALL=(ALL:ALL) NOPASSWD: ALL\n`;
}

/**
 * The drop-in below `/etc/sudoers.d` that lets an account use sudo without its password, which nobody knows. It is
 * there only while the account is enabled.
 */
export class SudoDropIns {
  readonly #folder: string;
  readonly #run: RunTool;

  constructor(etc: string, run: RunTool) {
    this.#folder = join(etc, 'sudoers.d');
    this.#run = run;
  }

  /** False where sudo is not installed: membership in the admin group is all there is. */
  get used(): boolean {
    return existsSync(this.#folder);
  }

  has(accountId: string): boolean {
    return existsSync(this.#path(accountId));
  }

  async add(accountId: string, name: string): Promise<void> {
    if (!this.used) return;
    // sudo skips names with a dot, so a half-written file is never read.
    const draft = join(this.#folder, `.stint-${accountId}.new`);
    rmSync(draft, { force: true });
    writeFileSync(draft, dropInText(name), { mode: 0o440, flush: true });
    chmodSync(draft, 0o440);
    if (findTool('visudo') !== null) {
      const { code, stderr, stdout } = await this.#run('visudo', ['-c', '-f', draft]);
      if (code !== 0) {
        rmSync(draft, { force: true });
        throw new AccountError(`visudo refused the rule for ${name}: ${(stderr || stdout).trim()}`);
      }
    }
    renameSync(draft, this.#path(accountId));
    syncFolder(this.#folder);
  }

  remove(accountId: string): void {
    if (!this.has(accountId)) return;
    rmSync(this.#path(accountId), { force: true });
    syncFolder(this.#folder);
  }

  #path(accountId: string): string {
    return join(this.#folder, dropInFile(accountId));
  }
}
