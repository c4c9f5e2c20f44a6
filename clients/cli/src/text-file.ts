import { access, readFile, writeFile } from 'node:fs/promises';
import { CommandRefusal } from './failure.ts';

/** Writes a new file of mode 0600; one that is there is never touched. Works where hard links do not: on a USB stick. */
export async function writeNewFile(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600, flush: true });
  } catch (error) {
    throw refusal(error, `${file} cannot be written`);
  }
}

/** Refuses a name that is taken, before anything is done that is not to be done twice. */
export async function refuseExistingFile(file: string): Promise<void> {
  const taken = await access(file).then(
    () => true,
    () => false,
  );
  if (taken) throw refusal({ code: 'EEXIST' }, `${file} cannot be written`);
}

/** Reads a file whole. */
export async function readTextFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw refusal(error, `${file} cannot be read`);
  }
}

function refusal(error: unknown, what: string): CommandRefusal {
  const { code } = error as NodeJS.ErrnoException;
  const why =
    code === 'EEXIST' ? 'there is a file of this name already' : code === 'ENOENT' ? 'there is no such file or folder' : (code ?? '');
  return new CommandRefusal('FILE', `${what}: ${why}.`);
}
