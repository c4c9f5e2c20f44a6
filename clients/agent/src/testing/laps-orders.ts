import { expect } from '@jest/globals';
import { eventually } from '@stint/testing';
import fc from 'fast-check';
import type { RunTool } from '../accounts/tool-runner.ts';
import type { LapsServer } from '../laps/laps-server.ts';
import { CrashComputer } from './crash-computer.ts';

/** A vault with one account, as these orders need it: the tests' own, or the real one. */
export interface VaultUnderTest {
  /** As the agent reaches it. */
  readonly server: LapsServer;
  askForChange(): Promise<void>;
  changePolicy(): Promise<void>;
  lockOrUnlock(): Promise<void>;
  /** All passwords that it keeps, in any order. */
  kept(): Promise<{ password: string; isFormer: boolean }[]>;
  /** What a reader is shown, most likely first. */
  revealed(): Promise<string[]>;
  /** Does `work` while something befalls this vault; only the real one has troubles of its own. */
  suffer?(trouble: Trouble, work: () => Promise<boolean>): Promise<boolean>;
  /** From here on nothing more befalls it. */
  calm?(): Promise<void>;
}

/** The vault's connections to its database are cut at its `step`-th statement, which is then done or not; it is started anew; its queue forgets all, or does not answer. */
export type Trouble = { is: 'CUT'; step: number; done: boolean } | { is: 'RESTARTED' } | { is: 'QUEUE_EMPTIED' } | { is: 'QUEUE_AWAY' };

/** What happens, in any order. */
type Happening =
  | { is: 'RUN' }
  /** The agent dies (or its computer: the same to the journal, which is durable). */
  | { is: 'CRASH_AT'; effect: number }
  /** A call to the vault does not arrive, or is done and its answer is lost. */
  | { is: 'LOSE'; effect: number }
  /** The agent runs while something befalls the vault. */
  | { is: 'TROUBLE'; trouble: Trouble }
  | { is: 'ASK_FOR_CHANGE' }
  | { is: 'OTHER_POLICY' }
  | { is: 'LOCK_OR_UNLOCK' }
  | { is: 'SOMEBODY_SETS' }
  | { is: 'SOMEBODY_DELETES' }
  | { is: 'SNAPSHOT' }
  | { is: 'RESTORE' }
  | { is: 'JOURNAL_LOST' };

const effect = fc.integer({ min: 1, max: 40 });
const just = (...kinds: Exclude<Happening['is'], 'CRASH_AT' | 'LOSE' | 'TROUBLE'>[]) => fc.constantFrom(...kinds.map((is) => ({ is })));
const happenings: fc.WeightedArbitrary<Happening>[] = [
  { weight: 5, arbitrary: fc.record({ is: fc.constant('CRASH_AT' as const), effect }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('LOSE' as const), effect }) },
  { weight: 3, arbitrary: just('RUN', 'ASK_FOR_CHANGE') },
  { weight: 2, arbitrary: just('OTHER_POLICY', 'LOCK_OR_UNLOCK', 'SNAPSHOT', 'RESTORE') },
  { weight: 1, arbitrary: just('SOMEBODY_SETS', 'SOMEBODY_DELETES', 'JOURNAL_LOST') },
];

async function happen(what: Happening, computer: CrashComputer, vault: VaultUnderTest): Promise<unknown> {
  switch (what.is) {
    case 'RUN':
      return computer.run();
    case 'CRASH_AT':
      return computer.run(what.effect);
    case 'LOSE':
      return computer.run(0, what.effect);
    case 'TROUBLE':
      return vault.suffer?.(what.trouble, () => computer.run());
    case 'ASK_FOR_CHANGE':
      return vault.askForChange();
    case 'OTHER_POLICY':
      return vault.changePolicy();
    case 'LOCK_OR_UNLOCK':
      return vault.lockOrUnlock();
    case 'SOMEBODY_SETS':
      return computer.somebodySets('Theirs-1234567890');
    case 'SOMEBODY_DELETES':
      return computer.somebodyDeletes();
    case 'SNAPSHOT':
      return computer.takeSnapshot();
    case 'RESTORE':
      return computer.restore();
    case 'JOURNAL_LOST':
      return computer.loseJournal();
  }
}

async function neverLost(order: readonly Happening[], vault: VaultUnderTest, tools: (root: string) => RunTool): Promise<void> {
  const computer = new CrashComputer(vault.server, tools);
  try {
    let isSetBack = false;
    for (const what of order) {
      isSetBack = (await happen(what, computer, vault)) !== true ? isSetBack || what.is === 'RESTORE' : what.is === 'RESTORE';
      const { real } = computer;
      if (real === undefined) continue;
      // At every instant: what the agent set, the vault has (safety rule I1), and shows unless the computer was just set back.
      const kept = await vault.kept();
      expect(kept.map(({ password }) => password)).toContain(real);
      if (!isSetBack) expect(kept.filter(({ isFormer }) => !isFormer).map(({ password }) => password)).toContain(real);
    }
    await vault.calm?.();
    // Long, as others may have the same vault and a slow machine at the same time.
    await eventually(async () => expect(await computer.run()).toBe(true), { timeoutMs: 120_000 });
    const [password = '', ...others] = await vault.revealed();
    expect(others).toEqual([]);
    expect(password).toBe(computer.real);
    expect(await computer.opens(password)).toBe(true);
  } finally {
    computer.remove();
  }
}

export interface Orders {
  runs: number;
  /** So many at a time: most of the time goes into waiting. */
  atOnce: number;
  tools: (root: string) => RunTool;
  /** A fresh vault; `lane` counts those that run at a time. */
  vault: (lane: number) => Promise<VaultUnderTest>;
  troubles?: fc.Arbitrary<Trouble>;
}

/** Runs random orders of happenings: in the end the password that is revealed opens the account, always. */
export async function checkOrders({ runs, atOnce, tools, vault, troubles }: Orders): Promise<void> {
  const trouble: fc.WeightedArbitrary<Happening>[] =
    troubles === undefined ? [] : [{ weight: 6, arbitrary: fc.record({ is: fc.constant('TROUBLE' as const), trouble: troubles }) }];
  const order = fc.array(fc.oneof(...happenings, ...trouble), { minLength: 1, maxLength: 12 });
  await Promise.all(
    Array.from({ length: atOnce }, (_, lane) =>
      fc.assert(
        fc.asyncProperty(order, async (happened) => neverLost(happened, await vault(lane), tools)),
        // What befalls a vault that others use too is not the same twice: there is no smaller order to look for.
        { numRuns: Math.ceil(runs / atOnce), endOnFailure: troubles !== undefined },
      ),
    ),
  );
}
