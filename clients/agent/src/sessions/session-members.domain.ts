import type { SystemProcess } from '../processes/process-ref.ts';

/** The processes of one session, by id, as they were last seen. */
export type Members = ReadonlyMap<number, SystemProcess>;

/**
 * Who belongs to a session now: its first process, who belonged to it before and still runs, all their children, and
 * everybody in a POSIX session that one of them leads or led. So what was once seen in a session stays in it, also when its
 * parent is gone; `spared` (the agent and its parents) never belong to one.
 */
export function sessionMembers(
  first: { pid: number; startTicks: string }[],
  before: Members,
  running: readonly SystemProcess[],
  spared: ReadonlySet<number>,
): Map<number, SystemProcess> {
  const byPid = new Map(running.filter(({ pid }) => pid > 1 && !spared.has(pid)).map((process) => [process.pid, process]));
  const members = new Map<number, SystemProcess>();
  for (const { pid, startTicks } of [...first, ...before.values()]) {
    const process = byPid.get(pid);
    if (process?.startTicks === startTicks) members.set(pid, process);
  }
  // The id of a leader that ended is not given away while its session lives; where it now names another process, it is gone.
  const led = [...first, ...before.values()].filter(({ pid }) => !byPid.has(pid) || members.has(pid)).map(({ pid }) => pid);
  const sessions = new Set(led.filter((pid) => running.some(({ session }) => session === pid)));
  for (let grown = true; grown;) {
    grown = false;
    for (const process of byPid.values()) {
      if (members.has(process.pid) || !(members.has(process.parent) || sessions.has(process.session))) continue;
      members.set(process.pid, process);
      if (process.session === process.pid) sessions.add(process.pid);
      grown = true;
    }
  }
  return members;
}
