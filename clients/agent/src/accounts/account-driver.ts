import type { Observed } from '../desired-state/plan.domain.ts';
import type { PrivilegedChange, PrivilegedSnapshot } from '../privileged/privileged.domain.ts';

/** Which account: by the server's id, which is also written beside the account; name and number as last seen, for one whose mark was removed. */
export interface AccountRef {
  accountId: string;
  name: string | null;
  uid: number | null;
}

/** An account of Stint's as the system shows it now. */
export interface ObservedAccount {
  accountId: string;
  name: string;
  uid: number;
  state: Observed;
}

export interface EnableOrder {
  accountId: string;
  /** The name to use if the account must be made; a suffix is added where it is taken. */
  name: string;
  displayName: string;
  /** The system itself ends the account at this instant or within two days after it, should the agent never run again. */
  endsAtMs: number;
  password: string;
}

export interface EnabledAccount {
  name: string;
  uid: number;
  /** The password was checked against what the system stored; null where its kind of hash cannot be checked here. */
  passwordVerified: boolean | null;
}

/**
 * Makes accounts real on one kind of system, by the system's own tools. Every method may be repeated and goes on where
 * an earlier call was killed. A failure is an AccountError that quotes the tool, never a password.
 */
export interface AccountDriver {
  /** All accounts that carry Stint's mark, and those of `known` whose name and number still fit although the mark is gone. */
  read(known?: readonly AccountRef[]): Promise<ObservedAccount[]>;
  /** Makes the account usable as an administrator: marked first, made usable last, in one step. */
  enable(order: EnableOrder): Promise<EnabledAccount>;
  /** Moves the system's own end of an account that is on to a later day, and nothing else; never to an earlier one. */
  prolong(accountId: string, endsAtMs: number): Promise<void>;
  /** Takes away log-in, admin rights and processes. Returns whether or not it worked: read back. */
  disable(account: AccountRef): Promise<void>;
  /** Deletes the account. */
  remove(account: AccountRef): Promise<void>;
  /** Whether `password` opens the account, by the hash that the system holds; null where that kind of hash cannot be checked here. */
  verifyPassword(name: string, password: string): Promise<boolean | null>;
  /** Everything that makes an administrator on this system now, Stint's own accounts left out. */
  privileged(): Promise<PrivilegedSnapshot>;
  /** Takes members that were added to privileged groups out of them again. What is more than a listed membership stays. */
  removePrivileged(changes: readonly PrivilegedChange[]): Promise<void>;
}

/** The system refused; the message quotes its tool. */
export class AccountError extends Error {
  override readonly name = 'AccountError';
}
