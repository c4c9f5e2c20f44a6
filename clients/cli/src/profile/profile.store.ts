import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandRefusal, UsageError } from '../failure.ts';
import { preparePrivateFolder, promotePrivateFile, readPrivateFile, refuseSharedFolder, writeNewPrivateFile } from './private-file.ts';
import { profileContent, toProfile, type Profile, type ProfileContent } from './profile.ts';

/**
 * The profiles of one person: `<config>/profiles/<name>.json`, and `<name>.pending.json` from before a sign-in's call
 * until its answer, so that a key that the server may have registered is never lost.
 */
export class ProfileStore {
  readonly folder: string;

  constructor(configFolder: string) {
    this.folder = join(configFolder, 'profiles');
  }

  /** The profile by this name; refuses with what to do where there is none or others could have read it. */
  async open(name: string): Promise<Profile> {
    const content = await this.#read(this.#path(name));
    if (content !== null) return toProfile(name, content);
    const unfinished = (await this.pending(name)) !== null;
    throw new CommandRefusal(
      'NOT_SIGNED_IN',
      unfinished
        ? `The sign-in of profile "${name}" was not finished. Run "stint sign-in" with the same link once more.`
        : `There is no profile "${name}" on this machine. Run "stint sign-in" with your invitation's link.`,
    );
  }

  async exists(name: string): Promise<boolean> {
    return (await this.#read(this.#path(name))) !== null;
  }

  /** The unfinished sign-in under this name; null for none. */
  async pending(name: string): Promise<ProfileContent | null> {
    return this.#read(this.#pendingPath(name));
  }

  /** Keeps a key before its sign-in is tried. One unfinished sign-in per name. */
  async begin(name: string, content: ProfileContent): Promise<void> {
    await preparePrivateFolder(this.folder);
    try {
      await writeNewPrivateFile(this.#pendingPath(name), `${JSON.stringify(content, null, 2)}\n`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new CommandRefusal(
        'SIGN_IN_RUNNING',
        `Another sign-in of profile "${name}" is running. Let it end, or take another --profile.`,
      );
    }
  }

  /** The sign-in worked: the pending profile becomes the profile. */
  async finish(name: string): Promise<void> {
    await promotePrivateFile(this.#pendingPath(name), this.#path(name));
  }

  /** The server does not know the pending key and never will: forget it. */
  async abandon(name: string): Promise<void> {
    await rm(this.#pendingPath(name), { force: true });
  }

  #path(name: string): string {
    return join(this.folder, `${checkedName(name)}.json`);
  }

  #pendingPath(name: string): string {
    return join(this.folder, `${checkedName(name)}.pending.json`);
  }

  async #read(path: string): Promise<ProfileContent | null> {
    const text = await readPrivateFile(path);
    if (text === null) return null;
    await refuseSharedFolder(this.folder);
    try {
      return profileContent.parse(JSON.parse(text));
    } catch {
      // Without the parser's words: they may quote the key.
      throw new CommandRefusal(
        'PROFILE_BROKEN',
        `${path} is not a profile of this version of stint. Restore it from a backup, or sign in anew under another --profile.`,
      );
    }
  }
}

function checkedName(name: string): string {
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(name)) {
    throw new UsageError(
      'A profile\'s name has lower-case letters, digits, "-" and "_", begins with a letter or digit, and is at most 64 characters long.',
    );
  }
  return name;
}
