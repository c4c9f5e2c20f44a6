import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSealed, sealTo, type HpkeKeyPair } from '@stint/crypto';
import { z } from 'zod';
import { reading } from '../deadline/device-clock.ts';
import { writeDurably } from '../state/durable-file.ts';
import { noTries, offlineGuard } from './offline-guard.domain.ts';

const sealed = z.object({ enc: z.string(), ciphertext: z.string() });

/** One technician who may log in here without the server, as the server prepared it. */
export const offlineAccess = z.object({
  technicianId: z.string(),
  email: z.string(),
  displayName: z.string(),
  accountId: z.string(),
  accountName: z.string(),
  sessionSeconds: z.number().int().positive(),
  idleEndSeconds: z.number().int().positive().nullable(),
  validUntilMs: z.number(),
  requireReason: z.boolean(),
  requireTicket: z.boolean(),
});
export type OfflineAccess = z.infer<typeof offlineAccess>;

/** The same as it comes: with the secret, sealed to this device. */
export interface PreparedAccess extends OfflineAccess {
  sealedSecret: z.infer<typeof sealed>;
}

/** Wrong codes that locked somebody out, of which the server has not heard yet. */
export const offlineLock = z.object({
  id: z.string(),
  /** Null: several people, or some whom this computer does not know. */
  technicianId: z.string().nullable(),
  failures: z.number().int().positive(),
  at: reading,
});
export type OfflineLock = z.infer<typeof offlineLock>;

const offlineState = z.object({
  version: z.literal(1),
  /** When the server prepared it last. */
  receivedAt: reading.nullable(),
  /** A time that the clock has passed for certain. */
  clock: reading.nullable(),
  access: z.array(offlineAccess.extend({ secret: sealed.nullable() })),
  /** By technician; kept when a technician is no longer prepared. `""`: everybody whom this computer does not know. */
  guards: z.record(z.string(), offlineGuard),
  device: offlineGuard,
  /** The newest of each technician. */
  locks: z.array(offlineLock).default([]),
});
export type OfflineState = z.infer<typeof offlineState>;

const wrapInfo = 'stint-agent-offline-secret-v1';

/**
 * `offline.json`: who may log in without the server, and what their tries left behind. The secrets in it are sealed to the
 * device's own key, which is in a file that only root can read; `save` returns only when it would survive a power cut.
 */
export class OfflineStore {
  readonly #path: string;
  readonly #keys: HpkeKeyPair;
  #state: OfflineState;

  constructor(folder: string, keys: HpkeKeyPair) {
    this.#path = join(folder, 'offline.json');
    this.#keys = keys;
    this.#state = this.#load();
  }

  get state(): Readonly<OfflineState> {
    return this.#state;
  }

  change(apply: (state: OfflineState) => void): void {
    const next = structuredClone(this.#state);
    apply(next);
    writeDurably(this.#path, `${JSON.stringify(next, null, 1)}\n`);
    this.#state = next;
  }

  wrap(technicianId: string, secret: Buffer): Promise<z.infer<typeof sealed>> {
    return sealTo({ publicKey: this.#keys.publicKey, info: wrapInfo, aad: technicianId }, secret);
  }

  unwrap(technicianId: string, secret: z.infer<typeof sealed>): Promise<Buffer> {
    return openSealed({ privateKey: this.#keys.privateKey, info: wrapInfo, aad: technicianId }, secret);
  }

  /** Without a readable file nobody is prepared: the server prepares anew. */
  #load(): OfflineState {
    try {
      return offlineState.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch {
      return { version: 1, receivedAt: null, clock: null, access: [], guards: {}, device: noTries, locks: [] };
    }
  }
}
