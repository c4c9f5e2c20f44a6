import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandRefusal } from '../failure.ts';

/** Windows has no such modes; there a person's folder is protected by its access list. */
const hasModes = process.platform !== 'win32';

/** Makes the folder for this person alone; one that others can enter is refused, not quietly changed. */
export async function preparePrivateFolder(path: string): Promise<void> {
  if ((await mkdir(path, { recursive: true, mode: 0o700 })) !== undefined && hasModes) await chmod(path, 0o700);
  await refuseSharedFolder(path);
}

/** Refuses a folder in which others could read, or exchange, a file. */
export async function refuseSharedFolder(path: string): Promise<void> {
  const { mode, uid } = await stat(path);
  refuseShared(path, mode, uid, 'chmod 700');
}

/** Reads a file that only this person can read; null when there is none. The mode is that of the very file that is read. */
export async function readPrivateFile(path: string): Promise<string | null> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { mode, uid } = await file.stat();
    refuseShared(path, mode, uid, 'chmod 600');
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/**
 * Writes a new file of mode 0600, whole or not at all, and returns when it would survive a power cut. An existing file
 * is never touched: throws EEXIST.
 */
export async function writeNewPrivateFile(path: string, content: string): Promise<void> {
  await withDraft(path, content, (draft) => link(draft, path));
}

/** The same, instead of the file that may be there. */
export async function replacePrivateFile(path: string, content: string): Promise<void> {
  await withDraft(path, content, (draft) => rename(draft, path));
}

async function withDraft(path: string, content: string, finish: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await finish(draft);
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(dirname(path));
}

async function syncFolder(path: string): Promise<void> {
  if (!hasModes) return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function refuseShared(path: string, mode: number, uid: number, remedy: string): void {
  if (!hasModes) return;
  if (uid !== process.getuid?.())
    throw new CommandRefusal('PROFILE_NOT_PRIVATE', `${path} belongs to another user. Use a profile of your own.`);
  if ((mode & 0o077) === 0) return;
  throw new CommandRefusal(
    'PROFILE_NOT_PRIVATE',
    `Others can reach ${path}, which holds your sign-in. Run "${remedy} ${path}"; if somebody may have read it, revoke the session and sign in anew.`,
  );
}
