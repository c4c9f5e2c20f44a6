import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { openSealed, sealTo, type HpkeKeyPair } from '@stint/crypto';
import { z } from 'zod';
import { reading } from '../deadline/device-clock.ts';
import { writeDurably } from '../state/durable-file.ts';

const sealed = z.object({ enc: z.string(), ciphertext: z.string() });

/** A change of password that is under way. Written before the vault hears of it, and kept until the vault knows that it is over. */
const openChange = z.object({
  versionId: z.string(),
  fence: z.number().int(),
  keyId: z.string(),
  /** The password, sealed to the vault. */
  forVault: sealed,
  /** The same, sealed to this computer's own key. */
  forUs: sealed,
  /** The vault had it: it may have been set from here on. */
  escrowed: z.boolean(),
  /** How it was made. */
  policy: z.string(),
  since: reading,
});
export type OpenChange = z.infer<typeof openChange>;

const lapsRecord = z.object({
  name: z.string(),
  uid: z.number().int(),
  /** The version that is on the computer, and the digest of the hash that the system stored for it. */
  held: z.object({ versionId: z.string(), hashDigest: z.string() }).nullable(),
  open: openChange.nullable(),
  /** What the vault was told last of a problem or a finding; null: that all is well. */
  told: z.string().nullable(),
});
export type LapsRecord = z.infer<typeof lapsRecord>;

const journal = z.object({ version: z.literal(1), accounts: z.record(z.string(), lapsRecord) });
type Journal = z.infer<typeof journal>;

const info = 'stint-agent-laps-password-v1';

/** A record of an account of which nothing has happened yet. */
export function newRecord(name: string): LapsRecord {
  return { name, uid: -1, held: null, open: null, told: null };
}

/**
 * `laps.json`: which version of its password each break-glass account has, and the change that is under way. The password
 * in it is sealed to the device's own key, which is in a file that only root can read. A write returns only when it would
 * survive a power cut.
 */
export class LapsJournal {
  readonly #path: string;
  readonly #keys: HpkeKeyPair;
  #state: Journal;

  constructor(folder: string, keys: HpkeKeyPair) {
    this.#path = join(folder, 'laps.json');
    this.#keys = keys;
    this.#state = this.#load();
  }

  record(accountId: string): Readonly<LapsRecord> | undefined {
    return this.#state.accounts[accountId];
  }

  /** The names of the accounts that are ours. */
  get names(): string[] {
    return Object.values(this.#state.accounts)
      .filter(({ uid }) => uid >= 0)
      .map(({ name }) => name);
  }

  write(accountId: string, record: LapsRecord): void {
    const next = { ...this.#state, accounts: { ...this.#state.accounts, [accountId]: record } };
    writeDurably(this.#path, `${JSON.stringify(next, null, 1)}\n`);
    this.#state = next;
  }

  wrap(versionId: string, password: string): Promise<z.infer<typeof sealed>> {
    return sealTo({ publicKey: this.#keys.publicKey, info, aad: versionId }, Buffer.from(password));
  }

  async unwrap({ versionId, forUs }: OpenChange): Promise<string> {
    return (await openSealed({ privateKey: this.#keys.privateKey, info, aad: versionId }, forUs)).toString();
  }

  /** Without a readable journal nothing is known: the vault is told so, and the passwords are changed. */
  #load(): Journal {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { version: 1, accounts: {} };
      throw error;
    }
    try {
      return journal.parse(JSON.parse(text));
    } catch {
      renameSync(this.#path, `${this.#path}.unreadable`);
      return { version: 1, accounts: {} };
    }
  }
}
