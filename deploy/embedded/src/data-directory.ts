import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where the embedded installation keeps everything: the database, the keys, the demo computer. */
export class DataDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** A file or folder in it. */
  at(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  /** The text of a secret file, made by `make` the first time; mode 0600. */
  async secret(name: string, make: () => string): Promise<string> {
    const file = this.at('keys', name);
    const known = await readFile(file, 'utf8').catch(() => null);
    if (known !== null) return known;
    const made = make();
    await writeDurably(file, made);
    return made;
  }
}

/** A random password for one of the database's roles. */
export function databasePassword(): string {
  return randomBytes(24).toString('base64url');
}

/** Writes a file that is either there whole or not at all, readable by its owner alone. */
export async function writeDurably(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
