import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { generateHpkeKeyPair, generatePassword } from '@stint/crypto';
import { createLog } from '@stint/host';
import { NetworkError } from '@stint/sdk';
import fc from 'fast-check';
import { ShadowTools } from '../accounts/shadow-tools.ts';
import { runInNamespace, type RunTool } from '../accounts/tool-runner.ts';
import { linuxClock } from '../deadline/device-clock.ts';
import { MemoryVault } from '../testing/memory-vault.ts';
import { describeWithRealTools } from '../testing/private-machine.ts';
import { quickTools } from '../testing/quick-tools.ts';
import { LapsJournal, type LapsRecord } from './laps-journal.ts';
import { LapsKeeper } from './laps-keeper.ts';
import type { LapsServer } from './laps-server.ts';
import { LinuxLapsDriver } from './linux.laps-driver.ts';

const keys = await generateHpkeKeyPair();
const log = createLog('agent', 'silent');
const name = 'stint-admin';
// In memory where the system has it: thousands of files are made durable here.
const fastFolder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** What happens, in any order. `CRASH_AT` and `LOSE` count effects: each tool, journal write and call has one before and one after. */
type Happening =
  | { is: 'RUN' }
  /** The agent dies (or its computer: the same to the journal, which is durable). */
  | { is: 'CRASH_AT'; effect: number }
  /** A call to the vault does not arrive, or is done and its answer is lost: also what a dying vault looks like. */
  | { is: 'LOSE'; effect: number }
  | { is: 'ASK_FOR_CHANGE' }
  | { is: 'OTHER_POLICY' }
  | { is: 'LOCK_OR_UNLOCK' }
  | { is: 'SOMEBODY_SETS' }
  | { is: 'SOMEBODY_DELETES' }
  | { is: 'SNAPSHOT' }
  | { is: 'RESTORE' }
  | { is: 'JOURNAL_LOST' };

const atOnce = 8;

const effect = fc.integer({ min: 1, max: 40 });
const just = (...kinds: Exclude<Happening['is'], 'CRASH_AT' | 'LOSE'>[]) => fc.constantFrom(...kinds.map((is) => ({ is })));
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ is: fc.constant('CRASH_AT' as const), effect }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('LOSE' as const), effect }) },
  { weight: 3, arbitrary: just('RUN', 'ASK_FOR_CHANGE') },
  { weight: 2, arbitrary: just('OTHER_POLICY', 'LOCK_OR_UNLOCK', 'SNAPSHOT', 'RESTORE') },
  { weight: 1, arbitrary: just('SOMEBODY_SETS', 'SOMEBODY_DELETES', 'JOURNAL_LOST') },
);

class Killed extends Error {}

/** A computer whose agent is started for each run, and may die in it. */
class Computer {
  readonly root = mkdtempSync(join(fastFolder, 'stint-laps-'));
  readonly #run: RunTool;
  /** Every password that was ever set here, by the hash that the system stored for it. */
  readonly #plain = new Map<string, string>();
  #effects = 0;
  #crashAt = 0;
  #loseAt = 0;
  #snapshot: string[] | undefined;

  constructor(
    readonly vault: MemoryVault,
    tools: (root: string) => RunTool,
  ) {
    mkdirSync(join(this.root, 'etc'));
    const files = { passwd: 'root:x:0:0::/root:/bin/sh\n', shadow: 'root:*:20000::::::\n', group: 'sudo:x:27:\nusers:x:100:\n' };
    for (const [file, text] of Object.entries({ ...files, gshadow: 'sudo:*::\nusers:*::\n', 'stint-private-root': '' }))
      writeFileSync(this.#path(file), text);
    this.#run = tools(this.root);
  }

  /** One start of the agent until it has nothing to do, dies, or has no answer. */
  async run(crashAt = 0, loseAt = 0): Promise<void> {
    this.#effects = 0;
    this.#crashAt = crashAt;
    this.#loseAt = loseAt;
    const tools: RunTool = async (tool, args, input) => {
      this.#effect();
      const result = await this.#run(tool, args, input);
      if (tool === 'chpasswd') this.#plain.set(this.hash, input?.slice(name.length + 1, -1) ?? '');
      this.#effect();
      return result;
    };
    const { vault } = this;
    const call =
      <Args extends unknown[], Answer>(method: (...args: Args) => Promise<Answer>) =>
      async (...args: Args): Promise<Answer> => {
        this.#effect(true);
        const answer = await method.apply(vault, args);
        this.#effect(true);
        return answer;
      };
    const server: LapsServer = {
      state: call(vault.state),
      escrow: call(vault.escrow),
      confirm: call(vault.confirm),
      report: call(vault.report),
    };
    const effect = () => this.#effect();
    class Journal extends LapsJournal {
      override write(accountId: string, record: LapsRecord): void {
        effect();
        super.write(accountId, record);
        effect();
      }
    }
    const keeper = new LapsKeeper({
      ...{ server, driver: new LinuxLapsDriver(new ShadowTools({ root: this.root, run: tools })) },
      ...{ journal: new Journal(this.root, keys), clock: linuxClock, log },
      generatePassword: () => generatePassword(16),
    });
    await keeper.run().catch((error: unknown) => {
      if (!(error instanceof Killed) && !(error instanceof NetworkError)) throw error;
    });
  }

  async happen(what: Happening): Promise<void> {
    const { vault } = this;
    switch (what.is) {
      case 'RUN':
        return this.run();
      case 'CRASH_AT':
        return this.run(what.effect);
      case 'LOSE':
        return this.run(0, what.effect);
      case 'ASK_FOR_CHANGE':
        return vault.want({ rotate: true });
      case 'OTHER_POLICY':
        return vault.want({ policy: { ...vault.account.policy, length: vault.account.policy.length + 1 } });
      case 'LOCK_OR_UNLOCK':
        return vault.want({ enabled: !vault.account.enabled });
      case 'SOMEBODY_SETS':
        if (this.hash !== '') await this.#run('chpasswd', ['-c', 'SHA512', '--root', this.root], `${name}:Theirs-1234567890\n`);
        return this.#noticed();
      case 'SOMEBODY_DELETES':
        for (const file of ['passwd', 'shadow'])
          writeFileSync(this.#path(file), this.#text(file).replace(new RegExp(`^${name}:.*\\n`, 'm'), ''));
        return this.#noticed();
      case 'SNAPSHOT':
        this.#snapshot = [...this.#files.map((file) => this.#text(file)), this.#text('../laps.json')];
        return;
      case 'RESTORE':
        if (!this.#snapshot) return;
        this.#files.forEach((file, at) => writeFileSync(this.#path(file), this.#snapshot?.[at] ?? ''));
        rmSync(this.#path('../laps.json'), { force: true });
        if (this.#snapshot[4]) writeFileSync(this.#path('../laps.json'), this.#snapshot[4]);
        return this.#noticed();
      case 'JOURNAL_LOST':
        rmSync(this.#path('../laps.json'), { force: true });
        return this.#noticed();
    }
  }

  /** The stored hash, locked or not; empty when there is none. */
  get hash(): string {
    return new RegExp(`^${name}:!*([^:]*):`, 'm').exec(this.#text('shadow'))?.[1] ?? '';
  }

  /** The password on the computer, if the agent has set it. */
  get real(): string | undefined {
    return this.#plain.get(this.hash);
  }

  opens(password: string | undefined): Promise<boolean | null> {
    return new LinuxLapsDriver(new ShadowTools({ root: this.root, run: this.#run })).verifyPassword(name, password ?? '');
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  readonly #files = ['passwd', 'shadow', 'group', 'gshadow'];

  /** The agent looks when something is new at the vault. */
  #noticed(): void {
    this.vault.revision++;
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

async function neverLost(happenings: readonly Happening[], tools: (root: string) => RunTool): Promise<void> {
  const computer = new Computer(await MemoryVault.make(), tools);
  const { vault } = computer;
  try {
    for (const what of happenings) {
      await computer.happen(what);
      // At every instant: what the agent set, the vault has (safety rule I1).
      if (computer.real !== undefined)
        expect(await Promise.all(vault.versions.map((version) => vault.open(version)))).toContain(computer.real);
    }
    for (let more = 0; more < 3; more++) await computer.run();
    const revealed = await vault.revealed();
    expect(revealed).toHaveLength(1);
    expect(computer.real).toBe(revealed[0]);
    expect(await computer.opens(revealed[0])).not.toBe(false);
    expect(vault.account.rotate).toBe(false);
  } finally {
    computer.remove();
  }
}

/** `runs` orders, some at a time: most of the time goes into waiting for files. */
const orders = (runs: number, tools: (root: string) => RunTool) =>
  Promise.all(
    Array.from({ length: atOnce }, () =>
      fc.assert(
        fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 12 }), (happenings) => neverLost(happenings, tools)),
        { numRuns: Math.ceil(runs / atOnce) },
      ),
    ),
  );

describe('the password that is revealed opens the account', () => {
  test('after 2,000 random orders of crashes, lost calls, other hands and snapshots', () => orders(2000, quickTools), 300_000);
});

describeWithRealTools('the password that is revealed opens the account, with the real account tools', () => {
  test('after 150 such orders', () => orders(150, () => runInNamespace), 300_000);
});
