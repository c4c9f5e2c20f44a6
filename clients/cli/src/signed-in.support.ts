// A profile that is signed in at a scripted gateway, new for each test.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { capture, type CapturedRun, type Surroundings } from './captured-run.support.ts';
import { newProfileContent, type ProfileContent } from './profile/profile.ts';
import { ProfileStore } from './profile/profile.store.ts';
import { ScriptedGateway } from './scripted-gateway.support.ts';

/** A valid id that is easy to tell from others. */
export const anId = (number: number) => `019ab0c0-0000-7000-8000-${String(number).padStart(12, '0')}`;
/** Where the profile's technician lives. */
export const tenantId = anId(1);

export interface SignedIn {
  gateway: ScriptedGateway;
  folder: string;
  profile: ProfileContent;
  stint(argv: string[], surroundings?: Surroundings): Promise<CapturedRun>;
  /** The inputs of all calls of a mutation. */
  sent(operation: string): Record<string, unknown>[];
}

/** Call once in a test file; the object's fields are those of the running test. */
export function signedIn(): SignedIn {
  const here: SignedIn = {
    gateway: new ScriptedGateway(),
    folder: '',
    profile: newProfileContent('http://127.0.0.1:1', ''),
    stint: (argv, surroundings = {}) => capture(['--config-dir', here.folder, ...argv], surroundings),
    sent: (operation) =>
      here.gateway.calls
        .filter((call) => call.operation === operation)
        .map(({ variables }) => variables['input'] as Record<string, unknown>),
  };
  beforeEach(async () => {
    here.gateway = new ScriptedGateway();
    await here.gateway.start();
    here.folder = await mkdtemp(join(tmpdir(), 'stint-cli-'));
    here.profile = newProfileContent(here.gateway.url, 'mark');
    const store = new ProfileStore(here.folder);
    await store.begin('default', here.profile);
    await store.finish('default');
    here.gateway.on('HomeTenant', () => ({ viewer: { tenant: { id: tenantId } } }));
  });
  afterEach(async () => {
    await here.gateway.stop();
    await rm(here.folder, { recursive: true, force: true });
  });
  return here;
}
