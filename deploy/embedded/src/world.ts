import { readFile } from 'node:fs/promises';
import type { SavedPasskey } from '@stint/passkey-emulator';
import { z } from 'zod';
import { writeDurably, type DataDirectory } from './data-directory.ts';

const person = z.object({
  technicianId: z.string(),
  tenantId: z.string(),
  email: z.string(),
  /** As the passkey emulator keeps them, private keys included. */
  passkeys: z.array(z.custom<SavedPasskey>((value) => typeof value === 'object' && value !== null)),
});

const demoWorld = z.object({
  version: z.literal(3),
  url: z.string(),
  mspId: z.string(),
  tenantId: z.string(),
  administrator: person,
  /** The technician with the phone. */
  technician: person,
  /** The technician's authenticator app: an `otpauth://` URI. */
  totpUri: z.string(),
  /** Whoever reads this: invited as an administrator, to join in a browser. */
  readerId: z.string(),
  /** The customer's Entra tenant in the Graph emulator, and how the customer's own auditor looks into it. */
  entra: z.object({ entraTenantId: z.string(), auditor: z.object({ clientId: z.string(), secret: z.string() }) }),
  /** Where the Graph emulator is, since this start. */
  graphUrl: z.string(),
  /** With which the demo computer is enrolled; good for one computer. */
  enrollmentToken: z.string(),
});

/** Everything the demo knows: who its people are and what is on their imaginary phones. Written when all of it exists, and at each start. */
export type DemoWorld = z.infer<typeof demoWorld>;

const file = (directory: DataDirectory) => directory.at('demo', 'world.json');

/** The demo as the first start left it, or null before that. */
export async function readWorld(directory: DataDirectory): Promise<DemoWorld | null> {
  const text = await readFile(file(directory), 'utf8').catch(() => null);
  if (text === null) return null;
  const world = demoWorld.safeParse(JSON.parse(text));
  if (!world.success) throw new Error(`${directory.path} was made by another version of Stint. Remove it to begin anew.`);
  return world.data;
}

export async function writeWorld(directory: DataDirectory, world: DemoWorld): Promise<void> {
  await writeDurably(file(directory), JSON.stringify(world, null, 2));
}
