import { readFileSync } from 'node:fs';
import { runInNamespace } from './tool-runner.ts';

/** Whether user namespaces work here; where they do not, one line that says so and names the way out. */
export async function userNamespacesWork(): Promise<{ works: true } | { works: false; wayOut: string }> {
  try {
    const { code } = await runInNamespace('true', []);
    if (code === 0) return { works: true };
  } catch {
    // Told below.
  }
  return {
    works: false,
    wayOut: `User namespaces are switched off here, so no demo computer can run without touching real accounts. Switch them on with: sudo sysctl ${setting()}`,
  };
}

function setting(): string {
  if (value('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1') return 'kernel.apparmor_restrict_unprivileged_userns=0';
  if (value('/proc/sys/user/max_user_namespaces') === '0') return 'user.max_user_namespaces=15000';
  return 'kernel.unprivileged_userns_clone=1';
}

function value(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
