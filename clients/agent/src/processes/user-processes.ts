import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const noLogin = 4_294_967_295;

/**
 * Ids of the processes that belong to a user: any of their four user ids, or their audit login id (which stays the
 * technician's after sudo). The calling process and its parents are never among them.
 */
export function processesOf(uid: number): number[] {
  const spared = ownLine();
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => !spared.has(pid) && belongsTo(pid, uid));
}

/** Ends all processes of a user: hang-up first, then kill, again and again for at most `timeoutMs`. */
export async function endProcessesOf(uid: number, timeoutMs = 5_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  let signal: NodeJS.Signals = 'SIGHUP';
  for (let found = processesOf(uid); found.length > 0 && performance.now() < end; found = processesOf(uid)) {
    for (const pid of found) {
      try {
        process.kill(pid, signal);
      } catch {
        // Gone in between.
      }
    }
    await delay(signal === 'SIGHUP' ? 300 : 50);
    signal = 'SIGKILL';
  }
}

function belongsTo(pid: number, uid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    if (/^State:\s+[ZX]/m.test(status)) return false;
    const uids = /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)/m.exec(status)?.slice(1).map(Number) ?? [];
    return uids.includes(uid) || loginUid(pid) === uid;
  } catch {
    return false;
  }
}

function loginUid(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/loginuid`, 'latin1'));
  } catch {
    return noLogin;
  }
}

/** The calling process and its parents. */
export function ownLine(): Set<number> {
  const line = new Set<number>();
  for (let pid = process.pid; pid > 1 && !line.has(pid);) {
    line.add(pid);
    try {
      pid = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
    } catch {
      break;
    }
  }
  return line;
}
