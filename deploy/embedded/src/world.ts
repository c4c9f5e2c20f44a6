import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeDurably, type DataDirectory } from './data-directory.ts';

const person = z.object({
  technicianId: z.string(),
  credentialId: z.string(),
  /** Ed25519, PKCS#8 PEM. */
  privateKey: z.string(),
  email: z.string(),
});

const demoWorld = z.object({
  url: z.string(),
  mspId: z.string(),
  tenantId: z.string(),
  administrator: person,
  /** With which the demo computer is enrolled; good for one computer. */
  enrollmentToken: z.string(),
  /** The technician with the phone: signs approvals with the key, computes codes from the `otpauth://` URI. */
  technician: person.extend({ totpUri: z.string() }),
});

/** Everything the demo knows: who its people are and the keys on their imaginary phones. Written last, when all of it exists. */
export type DemoWorld = z.infer<typeof demoWorld>;

const file = (directory: DataDirectory) => directory.at('demo', 'world.json');

/** The demo as the first start left it, or null before that. */
export async function readWorld(directory: DataDirectory): Promise<DemoWorld | null> {
  const text = await readFile(file(directory), 'utf8').catch(() => null);
  return text === null ? null : demoWorld.parse(JSON.parse(text));
}

export async function writeWorld(directory: DataDirectory, world: DemoWorld): Promise<void> {
  await writeDurably(file(directory), JSON.stringify(world, null, 2));
}
