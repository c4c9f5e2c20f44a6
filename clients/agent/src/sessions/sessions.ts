import { setTimeout as delay } from 'node:timers/promises';
import type { DeviceClock } from '../deadline/device-clock.ts';
import { presentBootId, readProcesses, type ProcessRef, type SystemProcess } from '../processes/process-ref.ts';
import { ownLine } from '../processes/user-processes.ts';
import type { AccountRecord, GrantRecord } from '../state/agent-state.ts';
import type { Memory } from '../state/memory.ts';
import { idleMs, isIdle, observed, type Activity } from './idle.domain.ts';
import { carriesMark } from './session-mark.ts';
import { sessionMembers, type Members } from './session-members.domain.ts';
import { lastInput, terminalPath, writeOn } from './terminals.ts';

const endingMs = 5_000;
const hangUpMs = 300;

export interface SessionsOptions {
  memory: Memory;
  clock: DeviceClock;
  /** Ids of all processes of a user of this system; for a grant whose session nobody registered. */
  processesOf(uid: number): number[];
}

/**
 * What runs for each grant: the processes that a terminal or PAM registered as its sessions, and all that came of them.
 * Looked at every second while a grant is live, so that a process is known before it leaves its parent.
 */
export class Sessions {
  readonly #o: SessionsOptions;
  readonly #members = new Map<string, Members>();
  readonly #activity = new Map<string, Activity>();

  constructor(options: SessionsOptions) {
    this.#o = options;
  }

  /** Looks at the sessions of every live grant. */
  look(): void {
    const { memory, clock } = this.#o;
    const live = Object.values(memory.state.records).flatMap((account) =>
      Object.values(account.grants)
        .filter(({ phase }) => phase === 'ACTIVE')
        .map((grant) => ({ account, grant })),
    );
    for (const id of [...this.#members.keys(), ...this.#activity.keys()]) {
      if (live.some(({ grant }) => grant.grantId === id)) continue;
      this.#members.delete(id);
      this.#activity.delete(id);
    }
    if (live.length === 0) return;
    const running = readProcesses();
    const now = clock.read();
    for (const { account, grant } of live) {
      const members = this.#update(grant, running);
      this.#activity.set(
        grant.grantId,
        observed(this.#activity.get(grant.grantId), this.#fingerprint(account, grant, members, running), now),
      );
    }
  }

  /** Whether the grant's sessions have been without input or activity for longer than it allows, as last looked at. */
  idle(grant: GrantRecord): boolean {
    return isIdle(this.#activity.get(grant.grantId), grant.idleEndSeconds, this.#o.clock.read());
  }

  /** For how long, as last looked at, in whole seconds. */
  idleSeconds(grant: GrantRecord): number | null {
    const ms = idleMs(this.#activity.get(grant.grantId), this.#o.clock.read());
    return ms === null ? null : Math.floor(ms / 1000);
  }

  /** The terminals of a grant's sessions. */
  terminals(grant: GrantRecord): string[] {
    return terminalsOf(this.#update(grant, readProcesses()));
  }

  /** Writes a line on every terminal of the grant's sessions. */
  tell(grant: GrantRecord, line: string): void {
    for (const terminal of this.terminals(grant)) writeOn(terminal, line);
  }

  /** Ends everything that runs for the grant and nothing else: hang-up first, then kill. Resolves to false when something is left. */
  async end(grant: GrantRecord): Promise<boolean> {
    const until = performance.now() + endingMs;
    let signal: NodeJS.Signals = 'SIGHUP';
    const update = () => this.#update(grant, readProcesses(), true);
    for (let left = update(); left.size > 0; left = update()) {
      if (performance.now() >= until) return false;
      for (const pid of left.keys()) {
        try {
          process.kill(pid, signal);
        } catch {
          // Gone in between.
        }
      }
      const pause = performance.now() + (signal === 'SIGHUP' ? hangUpMs : 20);
      while (performance.now() < pause && update().size > 0) await delay(20);
      signal = 'SIGKILL';
    }
    return true;
  }

  /** Who belongs to the grant now; `thorough`: also those that left their parents too fast to be seen, by the mark that they inherited. */
  #update(grant: GrantRecord, running: readonly SystemProcess[], thorough = false): Members {
    const { loginRequestId } = grant;
    const marked = thorough && loginRequestId !== null ? running.filter(({ pid }) => carriesMark(pid, loginRequestId)) : [];
    const members = sessionMembers(
      [...this.#first(grant), ...marked],
      this.#members.get(grant.grantId) ?? new Map<number, never>(),
      running,
      ownLine(),
    );
    this.#members.set(grant.grantId, members);
    return members;
  }

  #first({ loginRequestId }: GrantRecord): ProcessRef[] {
    const sessions = loginRequestId === null ? [] : (this.#o.memory.state.logins[loginRequestId]?.sessions ?? []);
    return sessions.length === 0 ? [] : sessions.filter(({ bootId }) => bootId === presentBootId());
  }

  /** Input at the terminals; without a terminal, whether something computes; without a session, the same for the account's processes. */
  #fingerprint(account: AccountRecord, grant: GrantRecord, members: Members, running: readonly SystemProcess[]): string {
    const inputs = terminalsOf(members).flatMap((path) => lastInput(path) ?? []);
    if (inputs.length > 0) return inputs.join(' ');
    if (members.size > 0 || this.#first(grant).length > 0 || account.uid === null) return busy([...members.values()]);
    const own = new Set(this.#o.processesOf(account.uid));
    return busy(running.filter(({ pid }) => own.has(pid)));
  }
}

function terminalsOf(members: Members): string[] {
  return [...new Set([...members.values()].map(({ tty }) => tty))].flatMap((tty) => (tty === 0 ? [] : (terminalPath(tty) ?? []))).sort();
}

function busy(processes: readonly SystemProcess[]): string {
  return `${processes.length}:${processes.reduce((sum, { busyTicks }) => sum + busyTicks, 0)}`;
}
