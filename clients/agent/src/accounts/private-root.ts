import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../state/durable-file.ts';

const mark = 'stint-private-root';

/** Whether `root` was made by `createPrivateRoot`. Nothing else is ever treated as one. */
export function isPrivateRoot(root: string): boolean {
  return existsSync(join(root, 'etc', mark));
}

/**
 * Makes a private copy of the system's account files below `root`, on which the real account tools can work without
 * touching a real account. No password hash is copied: every account of the copy is locked. Repeating it changes nothing.
 */
export function createPrivateRoot(root: string): void {
  if (isPrivateRoot(root)) return;
  const etc = join(root, 'etc');
  if (existsSync(root) && readdirSync(root).some((entry) => entry !== 'etc' && entry !== 'home')) {
    throw new Error(`${root} is not empty and not a private root. Name a new folder.`);
  }
  mkdirSync(join(etc, 'default'), { recursive: true });
  mkdirSync(join(etc, 'sudoers.d'), { recursive: true, mode: 0o750 });
  mkdirSync(join(root, 'home'), { recursive: true });
  const passwd = lines('/etc/passwd').map((line) => line.replace(/^([^:]*):[^:]*:/, '$1:x:'));
  const group = lines('/etc/group').map((line) => line.replace(/^([^:]*):[^:]*:/, '$1:x:'));
  if (!group.some((line) => /^(sudo|wheel):/.test(line))) group.push('sudo:x:27:');
  const today = Math.floor(Date.now() / 86_400_000);
  write(etc, 'passwd', passwd, 0o644);
  write(
    etc,
    'shadow',
    passwd.map((line) => `${line.split(':')[0]}:*:${today}:0:99999:7:::`),
    0o600,
  );
  write(etc, 'group', group, 0o644);
  write(
    etc,
    'gshadow',
    group.map((line) => `${line.split(':')[0]}:*::${line.split(':')[3] ?? ''}`),
    0o600,
  );
  for (const file of ['login.defs', 'default/useradd', 'shells']) {
    if (existsSync(join('/etc', file))) copyFileSync(join('/etc', file), join(etc, file));
  }
  writeFileSync(join(etc, 'machine-id'), `${randomBytes(16).toString('hex')}\n`);
  // Last: without the mark a folder that was left half made is made again.
  writeDurably(join(etc, mark), 'Made by stint-agent. The account files beside this one are a private copy.\n', 0o644);
}

function lines(path: string): string[] {
  // Lines with + or - include network accounts (NIS); they have no meaning in a copy.
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => /^[^#+-][^:]*:/.test(line));
}

function write(etc: string, file: string, content: string[], mode: number): void {
  writeFileSync(join(etc, file), `${content.join('\n')}\n`, { mode });
}
