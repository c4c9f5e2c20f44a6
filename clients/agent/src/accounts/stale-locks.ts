import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const lockFiles = ['passwd.lock', 'shadow.lock', 'group.lock', 'gshadow.lock', 'subuid.lock', 'subgid.lock'];
/** A tool holds its lock for milliseconds and writes its id into it at once. */
const emptyForMs = 10_000;

/**
 * Removes lock files in `etc` that no living tool can own, and tells which. shadow's tools themselves take over a lock
 * whose process is gone; two cases block them for ever and are safe to clear: a lock without an id (a power cut emptied
 * it), and one whose id now belongs to a process that began after the lock was written.
 */
export function clearStaleLocks(etc: string, nowMs: number): string[] {
  return lockFiles.filter((name) => {
    const path = join(etc, name);
    try {
      const writtenMs = statSync(path).mtimeMs;
      const pid = Number.parseInt(readFileSync(path, 'latin1'), 10);
      const stale = Number.isNaN(pid) ? nowMs - writtenMs > emptyForMs : startedAfter(pid, writtenMs);
      if (stale) rmSync(path, { force: true });
      return stale;
    } catch {
      return false;
    }
  });
}

function startedAfter(pid: number, instantMs: number): boolean {
  // /proc/<pid> gets its time stamp when it is first looked up, which is never before the process began; starttime is exact.
  const ticks = Number(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/su, '').trim().split(' ')[19]);
  const uptimeMs = Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 1000;
  const startedMs = Date.now() - uptimeMs + ticks * 10;
  return startedMs > instantMs + 2_000;
}
