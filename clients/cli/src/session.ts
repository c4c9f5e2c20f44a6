import { StintClient } from '@stint/sdk';
import { profileLocation } from './config.ts';
import { CommandRefusal, type ExitCode } from './failure.ts';
import type { Io } from './io.ts';
import { Output } from './output.ts';
import type { Profile } from './profile/profile.ts';
import { ProfileStore } from './profile/profile.store.ts';

/** The options that every command takes. */
export interface GlobalOptions {
  profile?: string;
  configDir?: string;
  json?: boolean;
}

/** What a command works with. The profile is read when it is first needed. */
export interface Session {
  io: Io;
  output: Output;
  store: ProfileStore;
  profileName: string;
  /** The signed-in profile and its connection. */
  signedIn(): Promise<{ profile: Profile; client: StintClient }>;
}

/** Makes a session of the options that a command was called with. */
export function openSession(io: Io, options: GlobalOptions): Session {
  const { configFolder, profileName } = profileLocation(io.env, options);
  const store = new ProfileStore(configFolder);
  return {
    io,
    store,
    profileName,
    output: new Output(io, { json: options.json === true }),
    async signedIn() {
      const profile = await store.open(profileName);
      const credential = { clientId: 'stint-cli', dpopKey: profile.dpopKey, refreshTokens: store.refreshTokens(profileName) };
      return { profile, client: new StintClient({ url: profile.url, credential }) };
    },
  };
}

/** Turns a command's work into a commander action. A command may answer an exit code of its own. */
export type Act = <Arguments extends unknown[]>(
  work: (session: Session, ...args: Arguments) => Promise<ExitCode | void>,
) => (...args: unknown[]) => Promise<void>;

/** The thing that was read, or the same refusal as the server's where there is none. */
export function found<Thing>(thing: Thing | null | undefined, name: string): Thing {
  if (thing != null) return thing;
  throw new CommandRefusal('NotFound', `No ${name} with this id is visible to you. Check the id, and who you are with "stint who-am-i".`);
}

/** A field of another part of the server, which is null when that part does not answer. */
export function answered<Thing>(thing: Thing | null | undefined, name: string): Thing {
  if (thing != null) return thing;
  throw new CommandRefusal('TRY_AGAIN', `The ${name} cannot be read now. Try again in a moment.`);
}
