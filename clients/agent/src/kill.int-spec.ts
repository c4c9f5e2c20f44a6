import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { bundled, eventually } from '@stint/testing';
import { LinuxDriver } from './accounts/linux.driver.ts';
import type { AccountReport } from './control-plane/control-plane.ts';
import type { DesiredAccount, DesiredGrant } from './desired-state/desired-account.ts';
import { agentState } from './state/agent-state.ts';
import { aDesiredAccount, aDesiredGrant } from './testing/memory.control-plane.ts';
import { createPrivateMachine, describeWithRealTools, type PrivateMachine } from './testing/private-machine.ts';

const program = bundled(fileURLToPath(new URL('./testing/killable-agent.ts', import.meta.url)));
const atOnce = 4;
const mostEffects = 80;
// Dozens of agents are started in each test.
const startsTimeout = 600_000;

/** A private machine whose agent is a process of its own. */
class Machine {
  readonly #machine: PrivateMachine = createPrivateMachine();
  readonly #server = join(this.#machine.root, 'server');
  readonly #driver = new LinuxDriver({ root: this.#machine.root });
  #child: ChildProcess | undefined;
  #revision = 0;

  constructor() {
    mkdirSync(this.#server);
  }

  /** Another one of which everything on the disk is the same; the agent must not run. */
  copy(): Machine {
    const copy = new Machine();
    cpSync(this.#machine.root, copy.#machine.root, { recursive: true, preserveTimestamps: true });
    copy.#revision = this.#revision;
    return copy;
  }

  want(...accounts: DesiredAccount[]): void {
    const draft = join(this.#server, 'desired.new');
    writeFileSync(draft, JSON.stringify({ revision: ++this.#revision, accounts }));
    renameSync(draft, join(this.#server, 'desired.json'));
  }

  start(killAtEffect: number): ChildProcess {
    this.#child = spawn(process.execPath, [program, this.#machine.root, this.#server, String(killAtEffect)], { stdio: 'inherit' });
    return this.#child;
  }

  async kill(): Promise<void> {
    if (!this.#child || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  reports(): AccountReport[] {
    const file = join(this.#server, 'reports.jsonl');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as AccountReport);
  }

  accounts() {
    return this.#driver.read();
  }

  phase(accountId: string): string | undefined {
    const state = agentState.parse(JSON.parse(readFileSync(join(this.#machine.stateFolder, 'state.json'), 'utf8')));
    return Object.values(state.records[accountId]?.grants ?? {})[0]?.phase;
  }

  async remove(): Promise<void> {
    await this.kill();
    this.#machine.remove();
  }
}

/** What an agent is to do while it is killed. */
interface Work {
  /** Everything on the disk before. */
  from: Machine;
  /** Asked anew for each machine: a grant waits a minute to become active, all machines together take longer. */
  wanted(): DesiredAccount;
  isDone(machine: Machine): Promise<boolean>;
  /** How it must be after a restart; throws while it is not. */
  expected(machine: Machine): Promise<void>;
}

/** Whether the agent died at its nth effect, and a restart made it right; false: everything was done before. */
async function survives({ from, wanted, isDone, expected }: Work, effect: number): Promise<boolean> {
  const machine = from.copy();
  try {
    machine.want(wanted());
    const child = machine.start(effect);
    const died = await eventually(async () => {
      if (child.signalCode !== null) return true;
      expect([child.exitCode, await isDone(machine)]).toEqual([null, true]);
      return false;
    });
    if (!died) return false;
    machine.start(0);
    await eventually(() => expected(machine));
    return true;
  } finally {
    await machine.remove();
  }
}

/** Kills at the 1st, 2nd, … effect until one comes after everything was done; the number of effects that were killed at. */
async function killAtEachEffect(work: Work): Promise<number> {
  let killed = 0;
  for (let first = 1; first < mostEffects; first += atOnce) {
    const died = await Promise.all(Array.from({ length: atOnce }, (_, index) => survives(work, first + index)));
    killed += died.filter(Boolean).length;
    if (died.includes(false)) return killed;
  }
  throw new Error('The agent never came to rest.');
}

describeWithRealTools('kill -9 of the agent at each of its effects', () => {
  const id = newId();
  const made: Machine[] = [];
  afterEach(() => Promise.all(made.splice(0).map((machine) => machine.remove())));
  const fresh = (): Machine => {
    const machine = new Machine();
    made.push(machine);
    return machine;
  };
  /** A machine whose agent has made an account for these grants, and was killed then. */
  async function active(...grants: DesiredGrant[]): Promise<Machine> {
    const machine = fresh();
    machine.want(aDesiredAccount({ id, grants }));
    machine.start(0);
    await eventually(() => expect(machine.reports().filter(({ state }) => state === 'ACTIVE')).toHaveLength(grants.length));
    await machine.kill();
    return machine;
  }

  test(
    'while enabling: after a restart the account is enabled, once, and reported',
    async () => {
      const killed = await killAtEachEffect({
        from: fresh(),
        wanted: () => aDesiredAccount({ id }),
        isDone: async (machine) =>
          machine.reports().some(({ state }) => state === 'ACTIVE') && (await machine.accounts())[0]?.state === 'ENABLED',
        expected: async (machine) => {
          expect(await machine.accounts()).toEqual([{ accountId: id, name: 'jit-anna', uid: expect.any(Number), state: 'ENABLED' }]);
          expect(machine.phase(id)).toBe('ACTIVE');
          expect(machine.reports()).toContainEqual(expect.objectContaining({ accountId: id, state: 'ACTIVE' }));
        },
      });
      // Two state writes and six tool calls at the least, before and after each.
      expect(killed).toBeGreaterThanOrEqual(16);
    },
    startsTimeout,
  );

  test(
    'while ending: after a restart the account is disabled and reported, whatever came before',
    async () => {
      const grant = aDesiredGrant({ grantId: `grant-of-${id}` });
      const killed = await killAtEachEffect({
        from: await active(grant),
        wanted: () => aDesiredAccount({ id, state: 'DISABLED' }),
        isDone: async (machine) => machine.reports().some(({ state }) => state === 'DISABLED'),
        expected: async (machine) => {
          expect(await machine.accounts()).toMatchObject([{ state: 'DISABLED' }]);
          const report = { accountId: id, state: 'DISABLED', grantId: grant.grantId };
          expect(machine.reports()).toContainEqual(expect.objectContaining(report));
        },
      });
      expect(killed).toBeGreaterThanOrEqual(6);
    },
    startsTimeout,
  );

  test(
    'while ending by itself at the end of the time: after a restart the account is disabled, with its reason',
    async () => {
      // Killed early and started late, its time is over before the account was made at all.
      const isDone = async (machine: Machine) =>
        machine.reports().some(({ state, endReason }) => (state === 'DISABLED' || state === 'ABSENT') && endReason === 'EXPIRED');
      const killed = await killAtEachEffect({
        from: fresh(),
        wanted: () => aDesiredAccount({ id, sessionSeconds: 1 }),
        isDone,
        expected: async (machine) => {
          expect((await machine.accounts()).filter(({ state }) => state !== 'DISABLED')).toEqual([]);
          expect(await isDone(machine)).toBe(true);
        },
      });
      expect(killed).toBeGreaterThanOrEqual(22);
    },
    startsTimeout,
  );

  test(
    'while one grant ends and another begins on the same account: it stays on for the other, and both are reported',
    async () => {
      const [first, second] = [aDesiredGrant({ grantId: 'first' }), aDesiredGrant({ grantId: 'second' })];
      const saw = (machine: Machine, grantId: string, state: string) =>
        machine.reports().some((report) => report.grantId === grantId && report.state === state);
      const isDone = async (machine: Machine) => saw(machine, 'first', 'DISABLED') && saw(machine, 'third', 'ACTIVE');
      const killed = await killAtEachEffect({
        from: await active(first, second),
        wanted: () => aDesiredAccount({ id, grants: [second, { ...aDesiredGrant({ grantId: 'third' }), sessionSeconds: 200_000 }] }),
        isDone,
        expected: async (machine) => {
          expect(await machine.accounts()).toMatchObject([{ accountId: id, state: 'ENABLED' }]);
          expect([await isDone(machine), saw(machine, 'second', 'DISABLED')]).toEqual([true, false]);
        },
      });
      // Four state writes and the tool that moves the day of the system's own end, before and after each.
      expect(killed).toBeGreaterThanOrEqual(8);
    },
    startsTimeout,
  );
});
