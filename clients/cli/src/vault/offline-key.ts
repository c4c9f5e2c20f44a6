import { createHash } from 'node:crypto';
import { z } from 'zod';
import { hpkePublicKey } from '@stint/contracts';
import { generateHpkeKeyPair, openWithPassphrase, passphraseKdf, sealWithPassphrase } from '@stint/crypto';
import { CommandRefusal } from '../failure.ts';
import { readTextFile } from '../text-file.ts';

const text = z.string().regex(/^[A-Za-z0-9_-]+$/);
const offlineKeyFile = z.object({
  format: z.literal('stint-offline-key'),
  version: z.literal(1),
  publicKey: hpkePublicKey,
  privateKey: z.object({ kdf: z.literal(passphraseKdf), salt: text, sealed: text }),
});
/** An MSP's offline key: the public half as it is, the private half under a passphrase. */
export type OfflineKeyFile = z.infer<typeof offlineKeyFile>;

/** The file says for which public key its private half is: exchanged, it does not open. */
const aad = (publicKey: string) => `stint offline key 1 ${publicKey}`;

/** Makes a key pair (X25519) and closes its private half under the passphrase. */
export async function makeOfflineKey(passphrase: string): Promise<OfflineKeyFile> {
  const { publicKey, privateKey } = await generateHpkeKeyPair();
  const sealed = await sealWithPassphrase({ passphrase, aad: aad(publicKey) }, Buffer.from(privateKey, 'base64url'));
  return { format: 'stint-offline-key', version: 1, publicKey, privateKey: sealed };
}

/** The private half, for the caller to clear. */
export async function openOfflineKey({ publicKey, privateKey }: OfflineKeyFile, passphrase: string): Promise<Buffer> {
  return openWithPassphrase({ passphrase, aad: aad(publicKey) }, privateKey).catch(() => {
    throw new CommandRefusal('WRONG_PASSPHRASE', 'The offline key does not open: the passphrase is wrong, or its file was altered.');
  });
}

/** Reads an offline key's file; its private half stays closed. */
export async function readOfflineKey(file: string): Promise<OfflineKeyFile> {
  const parsed = offlineKeyFile.safeParse(jsonOrNull(await readTextFile(file)));
  if (parsed.success) return parsed.data;
  throw new CommandRefusal('FILE', `${file} holds no offline key, or was altered. "stint vault offline-key make" makes such files.`);
}

/** A public key, or what a file holds as one. The private half is turned away: it has no place where there is a network. */
export async function publicKeyOf(keyOrFile: string): Promise<string> {
  const given = hpkePublicKey.safeParse(keyOrFile);
  if (given.success) return given.data;
  const content = (await readTextFile(keyOrFile)).trim();
  if (offlineKeyFile.safeParse(jsonOrNull(content)).success)
    throw new CommandRefusal('PRIVATE_HALF', `${keyOrFile} holds the private half too. Give its .pub file, and keep this one offline.`);
  const read = hpkePublicKey.safeParse(content);
  if (read.success) return read.data;
  throw new CommandRefusal('FILE', `${keyOrFile} holds no public key: one line of 43 characters.`);
}

/** SHA-256 over the public key as it is written, in hex: the audit log has the same. */
export function fingerprint(publicKey: string): string {
  return createHash('sha256').update(publicKey).digest('hex');
}

function jsonOrNull(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}
