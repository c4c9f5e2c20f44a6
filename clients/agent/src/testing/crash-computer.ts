import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateHpkeKeyPair, generatePassword } from '@stint/crypto';
import { createLog } from '@stint/host';
import { NetworkError, StintError } from '@stint/sdk';
import { ShadowTools } from '../accounts/shadow-tools.ts';
import type { RunTool } from '../accounts/tool-runner.ts';
import { linuxClock } from '../deadline/device-clock.ts';
import { LapsJournal, type LapsRecord } from '../laps/laps-journal.ts';
import { LapsKeeper } from '../laps/laps-keeper.ts';
import type { LapsServer } from '../laps/laps-server.ts';
import { LinuxLapsDriver } from '../laps/linux.laps-driver.ts';

const keys = await generateHpkeKeyPair();
const log = createLog('agent', 'silent');
const name = 'stint-admin';
// In memory where the system has it: thousands of files are made durable here.
const fastFolder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

class Killed extends Error {}

/** A computer with one break-glass account, whose agent is started for each run and may die in it. */
export class CrashComputer {
  readonly root = mkdtempSync(join(fastFolder, 'stint-laps-'));
  readonly #server: LapsServer;
  readonly #run: RunTool;
  readonly #files = ['passwd', 'shadow', 'group', 'gshadow'];
  /** Every password that was ever set here, by the hash that the system stored for it. */
  readonly #plain = new Map<string, string>();
  #effects = 0;
  #crashAt = 0;
  #loseAt = 0;
  #snapshot: string[] | undefined;

  constructor(server: LapsServer, tools: (root: string) => RunTool) {
    this.#server = server;
    mkdirSync(join(this.root, 'etc'));
    const files = { passwd: 'root:x:0:0::/root:/bin/sh\n', shadow: 'root:*:20000::::::\n', group: 'sudo:x:27:\nusers:x:100:\n' };
    for (const [file, text] of Object.entries({ ...files, gshadow: 'sudo:*::\nusers:*::\n', 'stint-private-root': '' }))
      writeFileSync(this.#path(file), text);
    this.#run = tools(this.root);
  }

  /**
   * One start of the agent until it has nothing to do, dies, or has no answer. Effects are counted: each tool, journal write
   * and call has one before and one after. It dies at `crashAt`; a call at `loseAt` or later does not arrive, or its answer
   * does not. True when nothing was left to do.
   */
  async run(crashAt = 0, loseAt = 0): Promise<boolean> {
    this.#effects = 0;
    this.#crashAt = crashAt;
    this.#loseAt = loseAt;
    const keeper = new LapsKeeper({
      ...{ server: this.#countedServer(), driver: new LinuxLapsDriver(new ShadowTools({ root: this.root, run: this.#countedTools() })) },
      ...{ journal: this.#countedJournal(), clock: linuxClock, log },
      generatePassword: () => generatePassword(16),
    });
    return keeper.run().catch((error: unknown) => {
      if (error instanceof Killed || error instanceof NetworkError || error instanceof StintError) return false;
      throw error;
    });
  }

  async somebodySets(password: string): Promise<void> {
    if (this.hash !== '') await this.#run('chpasswd', ['-c', 'SHA512', '--root', this.root], `${name}:${password}\n`);
  }

  somebodyDeletes(): void {
    for (const file of ['passwd', 'shadow'])
      writeFileSync(this.#path(file), this.#text(file).replace(new RegExp(`^${name}:.*\\n`, 'm'), ''));
  }

  takeSnapshot(): void {
    this.#snapshot = [...this.#files.map((file) => this.#text(file)), this.#text('../laps.json')];
  }

  /** Sets it back to the last snapshot, the agent's journal included; answers whether there was one. */
  restore(): boolean {
    const snapshot = this.#snapshot;
    if (!snapshot) return false;
    this.#files.forEach((file, at) => writeFileSync(this.#path(file), snapshot[at] ?? ''));
    this.loseJournal();
    if (snapshot[4]) writeFileSync(this.#path('../laps.json'), snapshot[4]);
    return true;
  }

  loseJournal(): void {
    rmSync(this.#path('../laps.json'), { force: true });
  }

  /** The stored hash, locked or not; empty when there is none. */
  get hash(): string {
    return new RegExp(`^${name}:!*([^:]*):`, 'm').exec(this.#text('shadow'))?.[1] ?? '';
  }

  /** The password on the computer, if the agent has set it. */
  get real(): string | undefined {
    return this.#plain.get(this.hash);
  }

  /** Whether the account's stored hash is of this password, as the system's crypt(3) says. */
  opens(password: string): Promise<boolean | null> {
    return new LinuxLapsDriver(new ShadowTools({ root: this.root, run: this.#run })).verifyPassword(name, password);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #countedTools(): RunTool {
    return async (tool, args, input) => {
      this.#effect();
      const result = await this.#run(tool, args, input);
      if (tool === 'chpasswd') this.#plain.set(this.hash, input?.slice(name.length + 1, -1) ?? '');
      this.#effect();
      return result;
    };
  }

  #countedServer(): LapsServer {
    const call =
      <Args extends unknown[], Answer>(method: (...args: Args) => Promise<Answer>) =>
      async (...args: Args): Promise<Answer> => {
        this.#effect(true);
        const answer = await method.apply(this.#server, args);
        this.#effect(true);
        return answer;
      };
    const { state, escrow, confirm, report } = this.#server;
    return { state: call(state), escrow: call(escrow), confirm: call(confirm), report: call(report) };
  }

  #countedJournal(): LapsJournal {
    const effect = () => this.#effect();
    class Journal extends LapsJournal {
      override write(accountId: string, record: LapsRecord): void {
        effect();
        super.write(accountId, record);
        effect();
      }
    }
    return new Journal(this.root, keys);
  }

  #effect(isCall = false): void {
    this.#effects++;
    // Dead is dead: whatever it still tries does not happen.
    if (this.#crashAt > 0 && this.#effects >= this.#crashAt) throw new Killed('Killed.');
    if (isCall && this.#loseAt > 0 && this.#effects >= this.#loseAt) {
      this.#loseAt = 0;
      throw new NetworkError('The connection was lost.');
    }
  }

  #path(file: string): string {
    return join(this.root, 'etc', file);
  }

  #text(file: string): string {
    try {
      return readFileSync(this.#path(file), 'utf8');
    } catch {
      return '';
    }
  }
}
