import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** LAPS4LINUX: https://github.com/schorschii/LAPS4LINUX (laps-runner). It changes root's password unless told otherwise. */
const laps4linux = { file: 'laps-runner.json', key: 'password-change-user', user: 'root' };

/** Why another LAPS keeps the account of this name, or null. Two that change one password would shut everybody out. */
export function otherLaps(etc: string, name: string): string | null {
  let text: string;
  try {
    text = readFileSync(join(etc, laps4linux.file), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    return `/etc/${laps4linux.file} cannot be read, so it is not known whether LAPS4LINUX keeps ${name}.`;
  }
  const sentence = `LAPS4LINUX keeps the password of ${name} (/etc/${laps4linux.file}). Remove it, or set another name for the break-glass account.`;
  try {
    const settings = JSON.parse(text) as Record<string, unknown>;
    return (settings[laps4linux.key] ?? laps4linux.user) === name ? sentence : null;
  } catch {
    return sentence.replace('keeps', 'may keep');
  }
}
