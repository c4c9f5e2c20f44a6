import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '@stint/kernel';
import { z } from 'zod';
import { makePrivateFolder, writeDurably } from '../state/durable-file.ts';

const identityFile = z.object({
  version: z.literal(1),
  url: z.string(),
  deviceId: z.string(),
  credentialId: z.string(),
  /** True once the server has said that it knows these ids and keys. */
  confirmed: z.boolean(),
});

/** Who this agent is. The private keys were made on this computer and never leave it. */
export interface Identity extends z.infer<typeof identityFile> {
  signingKey: KeyObject;
  hpkeKey: KeyObject;
}

/** The identity in a state folder, or null when there is none yet. */
export function readIdentity(folder: string): Identity | null {
  let text: string;
  try {
    text = readFileSync(join(folder, 'identity.json'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const key = (name: string) => createPrivateKey(readFileSync(join(folder, name)));
  return { ...identityFile.parse(JSON.parse(text)), signingKey: key('signing.pem'), hpkeKey: key('hpke.pem') };
}

/** Makes ids and keys and writes them down, before anyone hears of them: a crash later repeats the same enrolment. */
export function makeIdentity(folder: string, url: string): Identity {
  makePrivateFolder(folder);
  const signing = generateKeyPairSync('ed25519');
  const hpke = generateKeyPairSync('x25519');
  const pem = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' }).toString();
  writeDurably(join(folder, 'signing.pem'), pem(signing.privateKey));
  writeDurably(join(folder, 'hpke.pem'), pem(hpke.privateKey));
  // Last: keys without it are made anew.
  const identity = { version: 1 as const, url, deviceId: newId(), credentialId: newId(), confirmed: false };
  saveIdentity(folder, identity);
  return { ...identity, signingKey: signing.privateKey, hpkeKey: hpke.privateKey };
}

/** Notes that the server has confirmed the enrolment. */
export function confirmIdentity(folder: string, identity: Identity): void {
  saveIdentity(folder, { ...identity, confirmed: true });
}

/** The raw public half (RFC 8410 §4: the end of the SPKI) of an Ed25519 or X25519 key, in base64url. */
export function publicHalf(privateKey: KeyObject): string {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url');
}

function saveIdentity(folder: string, { version, url, deviceId, credentialId, confirmed }: z.infer<typeof identityFile>): void {
  writeDurably(join(folder, 'identity.json'), `${JSON.stringify({ version, url, deviceId, credentialId, confirmed }, null, 1)}\n`);
}
