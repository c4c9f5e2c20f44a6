import type { EntraAccount } from '../account/account.domain.ts';
import type { DirectoryUser } from '../graph/users.port.ts';
import { addSeconds, type Id } from '@stint/kernel';

/** What of a tenant's accounts is not as it should be. */
export interface Differences {
  /** They carry our mark, and nobody knows them. */
  strays: DirectoryUser[];
  /** Accounts to be looked at. */
  doubtful: Id[];
}

/** An account at rest is looked at so often, for roles that somebody has given it. */
const lookAgainSeconds = 21_600;

/** Compares what carries our mark in Entra with what we know. `accounts` were read after `users` and `deleted`. */
export function differences(
  accounts: readonly (EntraAccount & { busy: boolean })[],
  users: readonly DirectoryUser[],
  deleted: readonly DirectoryUser[],
  now: Date,
): Differences {
  const byObject = new Map(accounts.filter(({ objectId }) => objectId !== null).map((account) => [account.objectId, account]));
  // Made by a call whose answer was lost, or before the backup that we were restored from.
  const unfinished = new Set(accounts.filter(({ objectId }) => objectId === null).map(({ marker }) => marker));
  const strays = [...users.filter(({ marker }) => !unfinished.has(marker)), ...deleted].filter(({ id }) => !byObject.has(id));
  const shown = new Map(users.map((user) => [user.id, user]));
  const marks = new Set(users.map(({ marker }) => marker));
  const doubtful = accounts
    .filter((account) => {
      if (account.kind === 'OWN') return account.busy;
      if (account.objectId === null) return marks.has(account.marker);
      const user = shown.get(account.objectId);
      const same =
        user !== undefined && user.userPrincipalName === account.userPrincipalName && user.enabled === (account.state === 'ENABLED');
      return !same || account.busy || account.seenAt === null || addSeconds(account.seenAt, lookAgainSeconds) <= now;
    })
    .map(({ id }) => id);
  return { strays, doubtful };
}
