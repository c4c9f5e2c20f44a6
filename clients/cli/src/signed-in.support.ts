// A profile that is signed in at a scripted gateway, new for each test.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { newId } from '@stint/kernel';
import { capture, type CapturedRun, type Surroundings } from './captured-run.support.ts';
import type { ProfileContent } from './profile/profile.ts';
import { ProfileStore } from './profile/profile.store.ts';
import { ScriptedGateway } from './scripted-gateway.support.ts';

/** A valid id that is easy to tell from others. */
export const anId = (number: number) => `019ab0c0-0000-7000-8000-${String(number).padStart(12, '0')}`;
/** Where the profile's technician lives. */
export const tenantId = anId(1);

export interface SignedIn {
  gateway: ScriptedGateway;
  folder: string;
  stint(argv: string[], surroundings?: Surroundings): Promise<CapturedRun>;
  /** The inputs of all calls of a mutation. */
  sent(operation: string): Record<string, unknown>[];
}

/** What a sign-in at `url` keeps. The scripted gateway takes any refresh token that it has not seen yet. */
export function newProfile(url: string): ProfileContent {
  const dpopKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { version: 2, url, dpopKey, refreshToken: newId() };
}

/** Call once in a test file; the object's fields are those of the running test. */
export function signedIn(): SignedIn {
  const here: SignedIn = {
    gateway: new ScriptedGateway(),
    folder: '',
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
    await new ProfileStore(here.folder).save('default', newProfile(here.gateway.url));
    here.gateway.on('HomeTenant', () => ({ viewer: { tenant: { id: tenantId } } }));
  });
  afterEach(async () => {
    await here.gateway.stop();
    await rm(here.folder, { recursive: true, force: true });
  });
  return here;
}
