import type { KeyObject } from 'node:crypto';
import { publicKeyX } from '@stint/crypto';
import type { Logger } from '@stint/host';
import { adoptNextKey, dropNextKey, keyMadeAtMs, nextKey, prepareNextKey, type Identity } from './identity.ts';

const dayMs = 86_400_000;
/** A key is used for a year, and up to 30 days more, so that computers that were enrolled together do not change it together. */
const useDays = 365;
const spreadDays = 30;

/** A key of this computer, under the id by which the server knows it. */
export interface DeviceKey {
  id: string;
  privateKey: KeyObject;
}

/** What changing the key needs of the server. Both throw when there is no usable answer. */
export interface KeyServer {
  /** Registers `next`, asked with the key `by`. Repeating is harmless. */
  register(by: DeviceKey, next: { credentialId: string; publicKey: string }): Promise<'registered' | 'conflict' | 'refused'>;
  /** Whether the server takes the key. The first time it does, the keys before it end. */
  takes(key: DeviceKey): Promise<boolean>;
}

export interface KeyRotationOptions {
  folder: string;
  identity: Identity;
  server: KeyServer;
  log: Logger;
  /** In milliseconds since 1970. */
  now(): number;
  /** From here on this is the key. */
  use(key: DeviceKey): void;
}

/**
 * Changes the key by which this computer proves itself, once a year. The new one is on disk before the server hears of
 * it, and the old one is forgotten only after the server took the new one: whenever it is cut short, one of the two is
 * good, and the next run finds out which.
 */
export class KeyRotation {
  readonly #o: KeyRotationOptions;
  #identity: Identity;

  constructor(options: KeyRotationOptions) {
    this.#o = options;
    this.#identity = options.identity;
  }

  /** Does what there is to do; true while it is not done and should be tried again soon. */
  async run(): Promise<boolean> {
    const { folder, server, log, now, use } = this.#o;
    if (this.#identity.next === null) {
      if (now() < keyMadeAtMs(folder, this.#identity) + lifeMs(this.#identity.deviceId)) return false;
      this.#identity = prepareNextKey(folder, this.#identity, new Date(now()));
    }
    const { next, credentialId, signingKey } = this.#identity;
    if (next === null) return false;
    const key: DeviceKey = { id: next.credentialId, privateKey: nextKey(folder, next) };
    const current: DeviceKey = { id: credentialId, privateKey: signingKey };
    const answer = await server.register(current, { credentialId: key.id, publicKey: publicKeyX(key.privateKey) });
    if (answer === 'conflict') {
      this.#identity = dropNextKey(folder, this.#identity);
      return true;
    }
    // Refused: the new one may have been taken just before a crash, and the old one ended with that.
    if (!(await server.takes(key))) {
      if (answer === 'refused') log.error('The server takes neither the key of this computer nor the one that was to follow it.');
      return true;
    }
    this.#identity = adoptNextKey(folder, this.#identity);
    use(key);
    log.info({ credentialId: key.id }, 'This computer has a new key.');
    return false;
  }
}

/** How long a key of this computer is used. */
function lifeMs(deviceId: string): number {
  return (useDays + (Number.parseInt(deviceId.slice(-6), 16) % spreadDays)) * dayMs;
}
