import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountFiles } from '../accounts/account-files.ts';
import { markedId } from '../accounts/account-name.domain.ts';
import { dropInFile, dropInText } from '../accounts/sudo-drop-in.ts';
import { rootKeys, sudoRules, type PrivilegedSnapshot } from './privileged.domain.ts';

/**
 * The rules of sudo and the keys that open root, as a snapshot tells them: a rule file with a short hash of its content, so
 * that a changed one is a difference, and a key by its fingerprint as OpenSSH shows it.
 */
export function privilegedFiles(root: string | null, files: AccountFiles): PrivilegedSnapshot {
  const etc = join(root ?? '/', 'etc');
  const own = new Map(
    files.passwd.flatMap(({ name, gecos }) => {
      const id = markedId(gecos);
      return id === null ? [] : [[dropInFile(id), dropInText(name)] as const];
    }),
  );
  const rules = ['sudoers', ...list(join(etc, 'sudoers.d')).map((name) => `sudoers.d/${name}`)].flatMap((name) => {
    const text = read(join(etc, name));
    // sudo skips these names; ours says what we wrote, or it is somebody else's.
    if (text === null || /~$|\.d\/.*\./.test(name) || own.get(name.replace(/^.*\//, '')) === text) return [];
    return [`/etc/${name} (${createHash('sha256').update(text).digest('hex').slice(0, 12)})`];
  });
  const home = join(root ?? '/', files.passwd.find(({ uid }) => uid === 0)?.home ?? '/root');
  const keys = ['authorized_keys', 'authorized_keys2'].flatMap((name) => fingerprints(read(join(home, '.ssh', name)) ?? ''));
  return { [sudoRules]: rules.sort(), [rootKeys]: [...new Set(keys)].sort() };
}

function fingerprints(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const key = /(?:^|\s)(?:ssh-|ecdsa-|sk-)\S+\s+([A-Za-z0-9+/=]+)/.exec(line)?.[1];
    if (/^\s*#/.test(line) || key === undefined) return [];
    return [`SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`];
  });
}

/** The file's text; null when there is none or it cannot be read. */
function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
