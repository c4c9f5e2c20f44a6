import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateHpkeKeyPair, generateSigningKey, privateKeyFromPem, privateKeyToPem, type HpkeKeyPair } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { z } from 'zod';
import { makePrivateFolder, writeDurably } from '../state/durable-file.ts';

const hpkeFile = z.object({ publicKey: z.string(), privateKey: z.string() });

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
  return {
    ...identityFile.parse(JSON.parse(text)),
    signingKey: privateKeyFromPem(secret('signing.pem')),
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
  const identity = { version: 1 as const, url, deviceId: newId(), credentialId: newId(), confirmed: false };
  saveIdentity(folder, identity);
  return { ...identity, signingKey, hpkeKeys };
}

/** Notes that the server has confirmed the enrolment. */
export function confirmIdentity(folder: string, identity: Identity): void {
  saveIdentity(folder, { ...identity, confirmed: true });
}

function saveIdentity(folder: string, { version, url, deviceId, credentialId, confirmed }: z.infer<typeof identityFile>): void {
  writeDurably(join(folder, 'identity.json'), `${JSON.stringify({ version, url, deviceId, credentialId, confirmed }, null, 1)}\n`);
}
