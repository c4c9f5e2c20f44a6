import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { generateHpkeKeyPair, generateSigningKey, privateKeyFromPem, privateKeyToPem, type HpkeKeyPair } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { z } from 'zod';
import { makePrivateFolder, syncFolder, writeDurably } from '../state/durable-file.ts';

const hpkeFile = z.object({ publicKey: z.string(), privateKey: z.string() });

const keyFileName = /^signing(-[0-9a-f-]{36})?\.pem$/;
const identityFile = z.object({
  version: z.literal(1),
  url: z.string(),
  deviceId: z.string(),
  credentialId: z.string(),
  /** True once the server has said that it knows these ids and keys. */
  confirmed: z.boolean(),
  /** The file of the private key that goes with `credentialId`. */
  keyFile: z.string().regex(keyFileName).default('signing.pem'),
  /** When that key was made; null: as old as its file. */
  keyMadeAt: z.iso.datetime().nullable().default(null),
  /** A key that is to take its place, on disk before the server hears of it. */
  next: z
    .object({ credentialId: z.string(), keyFile: z.string().regex(keyFileName), madeAt: z.iso.datetime() })
    .nullable()
    .default(null),
});

/** Who this agent is. The private keys were made on this computer and never leave it. */
export interface Identity extends z.infer<typeof identityFile> {
  signingKey: ReturnType<typeof generateSigningKey>;
  hpkeKeys: HpkeKeyPair;
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
  const secret = (name: string) => readFileSync(join(folder, name), 'utf8');
  const identity = identityFile.parse(JSON.parse(text));
  return {
    ...identity,
    signingKey: privateKeyFromPem(secret(identity.keyFile)),
    hpkeKeys: hpkeFile.parse(JSON.parse(secret('hpke.json'))),
  };
}

/** Makes ids and keys and writes them down, before anyone hears of them: a crash later repeats the same enrolment. */
export async function makeIdentity(folder: string, url: string): Promise<Identity> {
  makePrivateFolder(folder);
  const signingKey = generateSigningKey();
  const hpkeKeys = await generateHpkeKeyPair();
  writeDurably(join(folder, 'signing.pem'), privateKeyToPem(signingKey));
  writeDurably(join(folder, 'hpke.json'), `${JSON.stringify(hpkeKeys)}\n`);
  // Last: keys without it are made anew.
  const key = { keyFile: 'signing.pem', keyMadeAt: new Date().toISOString(), next: null };
  const identity = { version: 1 as const, url, deviceId: newId(), credentialId: newId(), confirmed: false, ...key };
  saveIdentity(folder, identity);
  return { ...identity, signingKey, hpkeKeys };
}

/** Notes that the server has confirmed the enrolment. */
export function confirmIdentity(folder: string, identity: Identity): void {
  saveIdentity(folder, { ...identity, confirmed: true });
}

/** When the key in use was made, in milliseconds since 1970. */
export function keyMadeAtMs(folder: string, { keyMadeAt, keyFile }: Identity): number {
  return keyMadeAt === null ? statSync(join(folder, keyFile)).mtimeMs : Date.parse(keyMadeAt);
}

/** Makes a key that is to take the place of the one in use, and writes it down. A crash in between leaves a file that nobody names. */
export function prepareNextKey(folder: string, identity: Identity, now: Date): Identity {
  const credentialId = newId();
  const keyFile = `signing-${credentialId}.pem`;
  removeKeysBut(folder, identity.keyFile);
  writeDurably(join(folder, keyFile), privateKeyToPem(generateSigningKey()));
  const prepared = { ...identity, next: { credentialId, keyFile, madeAt: now.toISOString() } };
  saveIdentity(folder, prepared);
  return prepared;
}

/** The private key that is to take the place of the one in use. */
export function nextKey(folder: string, { keyFile }: NonNullable<Identity['next']>): Identity['signingKey'] {
  return privateKeyFromPem(readFileSync(join(folder, keyFile), 'utf8'));
}

/** The server takes the next key: it is the one in use from here on (one write decides), and the one before is removed. */
export function adoptNextKey(folder: string, identity: Identity): Identity {
  const { next } = identity;
  if (next === null) return identity;
  const { credentialId, keyFile, madeAt: keyMadeAt } = next;
  const adopted = { ...identity, credentialId, keyFile, keyMadeAt, next: null, signingKey: nextKey(folder, next) };
  saveIdentity(folder, adopted);
  removeKeysBut(folder, keyFile);
  return adopted;
}

/** The server will not have the next key: another one is made the next time. */
export function dropNextKey(folder: string, identity: Identity): Identity {
  const dropped = { ...identity, next: null };
  saveIdentity(folder, dropped);
  removeKeysBut(folder, identity.keyFile);
  return dropped;
}

function removeKeysBut(folder: string, keyFile: string): void {
  for (const name of readdirSync(folder)) if (keyFileName.test(name) && name !== keyFile) rmSync(join(folder, name));
  syncFolder(folder);
}

function saveIdentity(
  folder: string,
  { signingKey: _, hpkeKeys: __, ...identity }: Omit<Identity, 'signingKey' | 'hpkeKeys'> & Partial<Identity>,
): void {
  writeDurably(join(folder, 'identity.json'), `${JSON.stringify(identity, null, 1)}\n`);
}
