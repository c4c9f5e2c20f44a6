import { createHash } from 'node:crypto';
import type { Id } from '@stint/kernel';
import type { DirectoryDomain } from '../graph/tenant-facts.port.ts';

/** What Entra takes before the @. */
const maxLength = 64;
/** Names that mean somebody, or are asked for by mail systems: nobody's account is called so. */
const reserved = new Set(['admin', 'administrator', 'root', 'postmaster', 'abuse', 'hostmaster', 'webmaster', 'security']);
const namesToTry = 16;

/**
 * The name of a technician's account before the @: prefix and the email's local part, reduced to `a-z0-9._-`. From the second attempt
 * on with a suffix from the account's id, each time another one, and always the same ones. Null when all were taken.
 */
export function accountName(prefix: string, email: string, accountId: Id, attempt: number): string | null {
  if (attempt >= namesToTry) return null;
  const plainName = plain(`${prefix}${email.slice(0, email.includes('@') ? email.lastIndexOf('@') : undefined)}`);
  const bare = plainName.slice(0, maxLength).replace(/[.]+$/, '');
  const tooPlain = bare === '' || bare === plain(prefix) || reserved.has(bare);
  if (attempt === 0 && !tooPlain) return bare;
  const digest = createHash('sha256').update(`${accountId} ${attempt}`).digest('hex').slice(0, 6);
  return `${bare.slice(0, maxLength - digest.length - 1).replace(/[.-]+$/, '')}-${digest}`.replace(/^-/, '');
}

/** A domain on which passwords and passes work: the initial one, which no customer uses for mail, or else another managed one. */
export function accountDomain(domains: readonly DirectoryDomain[]): string | null {
  const managed = domains.filter((one) => one.managed);
  return (managed.find(({ initial }) => initial) ?? managed.find((one) => one.default) ?? managed[0])?.name ?? null;
}

/** Accents dropped by decomposition (NFKD), everything outside of the plain set dropped whole: no look-alike survives. */
function plain(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, '')
    .replaceAll(/[.]{2,}/g, '.')
    .replace(/^[.]+/, '');
}
