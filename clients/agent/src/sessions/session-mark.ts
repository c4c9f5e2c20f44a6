import { readFileSync } from 'node:fs';

/**
 * The environment variable that a session of ours begins with and that its processes inherit. It finds what left its parent
 * and its POSIX session at once. Whoever takes it out hides from the agent only until the account goes off.
 */
export const sessionMark = 'STINT_LOGIN';

/** Whether the process began with the mark of this login. */
export function carriesMark(pid: number, loginRequestId: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${sessionMark}=${loginRequestId}\0`);
  } catch {
    return false;
  }
}
