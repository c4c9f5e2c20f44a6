import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** One process of this boot: ids are reused, an id with its start time (clock ticks since boot) is not. */
export const processRef = z.object({ pid: z.number().int().positive(), startTicks: z.string(), bootId: z.string() });
export type ProcessRef = z.infer<typeof processRef>;

/** The running process with this id, or null. */
export function findProcess(pid: number): ProcessRef | null {
  try {
    // The command in field 2 may hold anything; what follows its last parenthesis starts with field 3 (proc_pid_stat(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/su, '').trim().split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    if (startTicks === undefined || state === 'Z' || state === 'X') return null;
    return { pid, startTicks, bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() };
  } catch {
    return null;
  }
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
