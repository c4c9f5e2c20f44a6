/** Which account: the server's id, its name, and its number as it was when the agent took it as its own. */
export interface LapsAccountRef {
  id: string;
  name: string;
  uid: number | null;
}

/** An account that is not ours, as whoever says yes to its take-over should see it. */
export interface LapsFinding {
  uid: number;
  /** ISO 8601; null: never, or the system does not keep it. */
  lastLogOnAt: string | null;
  groups: string[];
  uses: string[];
  /** SHA-256 over what identifies it, in hex. */
  digest: string;
}

/** What the system shows under the name. */
export type SeenLapsAccount =
  | { is: 'ABSENT' }
  | {
      is: 'OURS';
      uid: number;
      /** SHA-256 of the stored hash, locked or not; changes whenever somebody sets a password, also the same one. */
      hashDigest: string;
      /** Marked, and usable or not usable as wanted. */
      inOrder: boolean;
    }
  | { is: 'FOREIGN'; finding: LapsFinding }
  /** It must not be touched: why. */
  | { is: 'REFUSED'; problem: string };

/**
 * Keeps break-glass accounts on one kind of system, by the system's own tools. Every method may be repeated and goes on
 * where an earlier call was killed. A failure is an AccountError that quotes the tool, never a password.
 */
export interface LapsDriver {
  see(ref: LapsAccountRef, enabled: boolean): Promise<SeenLapsAccount>;
  /** Makes the account, not usable yet. */
  make(ref: LapsAccountRef): Promise<void>;
  /** Marks an account that was there before as ours; nothing else of it changes. */
  takeOver(ref: LapsAccountRef): Promise<void>;
  setPassword(name: string, password: string): Promise<void>;
  /** Whether the account's stored hash, locked or not, is of `password`; null where that kind of hash cannot be checked here. */
  verifyPassword(name: string, password: string): Promise<boolean | null>;
  /** Marks it and makes it usable as an administrator, or not usable. Its password stays. */
  arrange(ref: LapsAccountRef, enabled: boolean): Promise<void>;
}
