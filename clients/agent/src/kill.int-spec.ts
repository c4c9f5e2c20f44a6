import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { LinuxDriver } from './accounts/linux.driver.ts';
import type { AccountReport } from './control-plane/control-plane.ts';
import type { DesiredAccount, DesiredGrant } from './desired-state/desired-account.ts';
import { agentState } from './state/agent-state.ts';
import { aDesiredAccount, aDesiredGrant } from './testing/memory.control-plane.ts';
import { createPrivateMachine, describeWithRealTools, type PrivateMachine } from './testing/private-machine.ts';

const atOnce = 8;
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

  want(...accounts: DesiredAccount[]): void {
    const draft = join(this.#server, 'desired.new');
    writeFileSync(draft, JSON.stringify({ revision: ++this.#revision, accounts }));
    renameSync(draft, join(this.#server, 'desired.json'));
  }

  start(killAtEffect: number): ChildProcess {
    const program = fileURLToPath(new URL('./testing/killable-agent.ts', import.meta.url));
    this.#child = spawn(
      process.execPath,
      [
        '--conditions=@stint/source',
        '--disable-warning=ExperimentalWarning',
        program,
        this.#machine.root,
        this.#server,
        String(killAtEffect),
      ],
      { stdio: 'inherit' },
    );
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

/** Whether the agent died at the effect; false: everything was done before. */
async function diesBefore(machine: Machine, killAtEffect: number, done: () => Promise<boolean>): Promise<boolean> {
  const child = machine.start(killAtEffect);
  const died = await eventually(async () => {
    if (child.signalCode !== null) return true;
    expect([child.exitCode, await done()]).toEqual([null, true]);
    return false;
  });
  if (!died) await machine.kill();
  return died;
}

/** Runs `round` for the 1st, 2nd, … effect until one comes after everything was done; the number of effects that were killed at. */
async function atEachEffect(round: (machine: Machine, effect: number) => Promise<boolean>): Promise<number> {
  let killed = 0;
  for (let first = 1; first < mostEffects; first += atOnce) {
    const died = await Promise.all(
      Array.from({ length: atOnce }, async (_, index) => {
        const machine = new Machine();
        try {
          return await round(machine, first + index);
        } finally {
          await machine.remove();
        }
      }),
    );
    killed += died.filter(Boolean).length;
    if (died.includes(false)) return killed;
  }
  throw new Error('The agent never came to rest.');
}

describeWithRealTools('kill -9 of the agent at each of its effects', () => {
  test(
    'while enabling: after a restart the account is enabled, once, and reported',
    async () => {
      const killed = await atEachEffect(async (machine, effect) => {
        const id = newId();
        machine.want(aDesiredAccount({ id }));
        const done = async () =>
          machine.reports().some(({ state }) => state === 'ACTIVE') && (await machine.accounts())[0]?.state === 'ENABLED';
        if (!(await diesBefore(machine, effect, done))) return false;
        machine.start(0);
        await eventually(async () => {
          expect(await machine.accounts()).toEqual([{ accountId: id, name: 'jit-anna', uid: expect.any(Number), state: 'ENABLED' }]);
          expect(machine.phase(id)).toBe('ACTIVE');
          expect(machine.reports()).toContainEqual(expect.objectContaining({ accountId: id, state: 'ACTIVE' }));
        });
        return true;
      });
      // Two state writes and six tool calls at the least, before and after each.
      expect(killed).toBeGreaterThanOrEqual(16);
    },
    startsTimeout,
  );

  test(
    'while ending: after a restart the account is disabled and reported, whatever came before',
    async () => {
      const killed = await atEachEffect(async (machine, effect) => {
        const id = newId();
        machine.want(aDesiredAccount({ id }));
        machine.start(0);
        await eventually(() => expect(machine.reports()).toContainEqual(expect.objectContaining({ state: 'ACTIVE' })));
        await machine.kill();
        machine.want(aDesiredAccount({ id, state: 'DISABLED' }));
        const isDisabled = () => machine.reports().some(({ state }) => state === 'DISABLED');
        if (!(await diesBefore(machine, effect, async () => isDisabled()))) return false;
        machine.start(0);
        await eventually(async () => {
          expect(await machine.accounts()).toMatchObject([{ state: 'DISABLED' }]);
          expect(machine.reports()).toContainEqual(
            expect.objectContaining({ accountId: id, state: 'DISABLED', grantId: `grant-of-${id}` }),
          );
        });
        return true;
      });
      expect(killed).toBeGreaterThanOrEqual(6);
    },
    startsTimeout,
  );

  test(
    'while ending by itself at the end of the time: after a restart the account is disabled, with its reason',
    async () => {
      const killed = await atEachEffect(async (machine, effect) => {
        const id = newId();
        machine.want(aDesiredAccount({ id, sessionSeconds: 1 }));
        // Killed early and started late, its time is over before the account was made at all.
        const isDisabled = () =>
          machine.reports().some(({ state, endReason }) => (state === 'DISABLED' || state === 'ABSENT') && endReason === 'EXPIRED');
        if (!(await diesBefore(machine, effect, async () => isDisabled()))) return false;
        machine.start(0);
        await eventually(async () => {
          expect((await machine.accounts()).filter(({ state }) => state !== 'DISABLED')).toEqual([]);
          expect(isDisabled()).toBe(true);
        });
        return true;
      });
      expect(killed).toBeGreaterThanOrEqual(22);
    },
    startsTimeout,
  );

  test(
    'while one grant ends and another begins on the same account: it stays on for the other, and both are reported',
    async () => {
      const killed = await atEachEffect(async (machine, effect) => {
        const id = newId();
        const [first, second, third] = ['first', 'second', 'third'].map((grantId) => aDesiredGrant({ grantId })) as [
          DesiredGrant,
          DesiredGrant,
          DesiredGrant,
        ];
        machine.want(aDesiredAccount({ id, grants: [first, second] }));
        machine.start(0);
        await eventually(() => expect(machine.reports().filter(({ state }) => state === 'ACTIVE')).toHaveLength(2));
        await machine.kill();
        machine.want(aDesiredAccount({ id, grants: [second, { ...third, sessionSeconds: 200_000 }] }));
        const saw = (grantId: string, state: string) =>
          machine.reports().some((report) => report.grantId === grantId && report.state === state);
        const done = async () => saw('first', 'DISABLED') && saw('third', 'ACTIVE');
        if (!(await diesBefore(machine, effect, done))) return false;
        machine.start(0);
        await eventually(async () => {
          expect(await machine.accounts()).toMatchObject([{ accountId: id, state: 'ENABLED' }]);
          expect([saw('first', 'DISABLED'), saw('third', 'ACTIVE'), saw('second', 'DISABLED')]).toEqual([true, true, false]);
        });
        return true;
      });
      // Four state writes and the tool that moves the day of the system's own end, before and after each.
      expect(killed).toBeGreaterThanOrEqual(8);
    },
    startsTimeout,
  );
});
