import { createHash } from 'node:crypto';
import type { Id } from '@stint/kernel';
import { reservedAccounts } from '../settings/setting-rules.domain.ts';

/** The longest that every target takes (sAMAccountName, and Windows' local accounts). */
const maxLength = 20;
const suffixLength = 5;

/**
 * The name for a technician's account: prefix and the email's local part, reduced to `a-z0-9_-` and 20 characters. A
 * name that another account of the device or the system itself has gets a suffix from the owner's id (the technician's), always the same one.
 */
export function accountName(prefix: string, email: string, ownerId: Id, taken: ReadonlySet<string>): string {
  const local = plain(email.slice(0, email.lastIndexOf('@') === -1 ? undefined : email.lastIndexOf('@')));
  const name = `${prefix}${local}`.slice(0, maxLength);
  if (local !== '' && !taken.has(name) && !isReserved(name)) return name;
  const digest = createHash('sha256').update(ownerId).digest('hex');
  // A second technician with the same four digits, too: take the next four.
  for (let at = 0; at + 4 <= digest.length; at += 4) {
    const suffix = `-${digest.slice(at, at + 4)}`;
    const suffixed = `${`${prefix}${local}`.slice(0, maxLength - suffixLength)}${suffix}`;
    if (!taken.has(suffixed)) return suffixed;
  }
  throw new Error('No free account name on this device.');
}

/** The name for the account that all technicians of a device share. */
export function sharedAccountName(prefix: string, deviceId: Id, taken: ReadonlySet<string>): string {
  return accountName(prefix, 'shared', deviceId, taken);
}

/** A short prefix and a short address can make one of the system's: `r` and `oot`. The built-in administrator's may be taken over by LAPS, but never be a technician's. */
function isReserved(name: string): boolean {
  return reservedAccounts.has(name) || name === 'administrator';
}

/** Accents dropped by decomposition (NFKD), everything outside of the plain set dropped whole: no look-alike survives. */
function plain(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '');
}
