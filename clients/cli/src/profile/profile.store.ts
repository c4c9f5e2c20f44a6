import { join } from 'node:path';
import type { RefreshTokens } from '@stint/sdk';
import { lock } from 'proper-lockfile';
import { CommandRefusal, UsageError } from '../failure.ts';
import { preparePrivateFolder, readPrivateFile, refuseSharedFolder, replacePrivateFile } from './private-file.ts';
import { profileContent, toProfile, type Profile, type ProfileContent } from './profile.ts';

/** How long others wait for a command that was killed while it held a profile. */
const STALE_MS = 10_000;

/** The profiles of one person: `<config>/profiles/<name>.json`. */
export class ProfileStore {
  readonly folder: string;

  constructor(configFolder: string) {
    this.folder = join(configFolder, 'profiles');
  }

  /** The profile by this name; refuses with what to do where there is none or others could have read it. */
  async open(name: string): Promise<Profile> {
    return toProfile(name, await this.#content(name));
  }

  /** The address that a profile signs in to; null where there is no profile. */
  async address(name: string): Promise<string | null> {
    return (await this.#read(name))?.url ?? null;
  }

  /** Keeps a new sign-in, instead of the one that was there. */
  async save(name: string, content: ProfileContent): Promise<void> {
    await this.#alone(name, () => this.#write(name, content));
  }

  /** The profile's refresh token, for one command at a time: a token that is used twice ends the session. */
  refreshTokens(name: string): RefreshTokens {
    return {
      exchange: (renew) =>
        this.#alone(name, async () => {
          const content = await this.#content(name);
          await this.#write(name, { ...content, refreshToken: await renew(content.refreshToken) });
        }),
    };
  }

  /** Commands run side by side, in scripts and in other windows. */
  async #alone<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const path = this.#path(name);
    await preparePrivateFolder(this.folder);
    const release = await lock(path, {
      realpath: false,
      stale: STALE_MS,
      retries: { retries: 150, factor: 1.2, minTimeout: 20, maxTimeout: 250 },
      // After a machine's sleep another command may have taken over. The work is then nearly done: let it end.
      onCompromised: () => undefined,
    });
    try {
      return await work();
    } finally {
      await release().catch(() => undefined);
    }
  }

  async #write(name: string, content: ProfileContent): Promise<void> {
    await replacePrivateFile(this.#path(name), `${JSON.stringify(content, null, 2)}\n`);
  }

  async #content(name: string): Promise<ProfileContent> {
    const content = await this.#read(name);
    if (content !== null) return content;
    throw new CommandRefusal(
      'NOT_SIGNED_IN',
      `There is no profile "${name}" on this machine. Run "stint sign-in <address>" with the address of your Stint.`,
    );
  }

  async #read(name: string): Promise<ProfileContent | null> {
    const path = this.#path(name);
    const text = await readPrivateFile(path);
    if (text === null) return null;
    await refuseSharedFolder(this.folder);
    try {
      return profileContent.parse(JSON.parse(text));
    } catch {
      // Without the parser's words: they may quote the key.
      throw new CommandRefusal('PROFILE_BROKEN', `${path} is not a profile of this version of stint. Remove it and sign in again.`);
    }
  }

  #path(name: string): string {
    if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(name)) {
      throw new UsageError(
        'A profile\'s name has lower-case letters, digits, "-" and "_", begins with a letter or digit, and is at most 64 characters long.',
      );
    }
    return join(this.folder, `${name}.json`);
  }
}
