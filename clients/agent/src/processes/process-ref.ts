import { readFileSync, readdirSync } from 'node:fs';
import { z } from 'zod';

/** One process of this boot: ids are reused, an id with its start time (clock ticks since boot) is not. */
export const processRef = z.object({ pid: z.number().int().positive(), startTicks: z.string(), bootId: z.string() });
export type ProcessRef = z.infer<typeof processRef>;

/** The running process with this id, or null. */
export function findProcess(pid: number): ProcessRef | null {
  const found = readProcess(pid);
  if (!found) return null;
  return { pid, startTicks: found.startTicks, bootId: presentBootId() };
}

/** The id of the running system's boot. */
export function presentBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** What the system says about one process. */
export interface SystemProcess {
  pid: number;
  parent: number;
  /** Its POSIX session: the id of the process that leads (or led) it. */
  session: number;
  /** Device number of its terminal; 0: none. */
  tty: number;
  /** Clock ticks that it computed for. */
  busyTicks: number;
  startTicks: string;
}

/** The process with this id, or null when it does not run (any more). */
export function readProcess(pid: number): SystemProcess | null {
  try {
    // The command in field 2 may hold anything; what follows its last parenthesis starts with field 3 (proc_pid_stat(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/su, '').trim().split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    if (startTicks === undefined || state === 'Z' || state === 'X') return null;
    const number = (index: number) => Number(fields[index]);
    return { pid, parent: number(1), session: number(3), tty: number(4), busyTicks: number(11) + number(12), startTicks };
  } catch {
    return null;
  }
}

/** All processes that run now. */
export function readProcesses(): SystemProcess[] {
  return readdirSync('/proc').flatMap((entry) => (/^\d+$/.test(entry) ? (readProcess(Number(entry)) ?? []) : []));
}

/** Whether exactly this process still runs. */
export function isRunning(ref: ProcessRef): boolean {
  const found = findProcess(ref.pid);
  return found !== null && found.startTicks === ref.startTicks && found.bootId === ref.bootId;
}

/** Sends a signal to exactly this process; nothing when it is gone. */
export function signalProcess(ref: ProcessRef, signal: NodeJS.Signals): void {
  if (!isRunning(ref)) return;
  try {
    process.kill(ref.pid, signal);
  } catch {
    // Gone in between, or not ours: the caller looks again.
  }
}
