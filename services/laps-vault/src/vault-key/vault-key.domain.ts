import { addSeconds, type Id } from '@stint/kernel';

/** A key pair of a tenant's vault; the private half is wrapped, and null once it was destroyed. */
export interface VaultKey {
  mspId: Id;
  tenantId: Id;
  id: Id;
  publicKey: string;
  wrappedPrivateKey: Buffer | null;
  createdAt: Date;
  retiredAt: Date | null;
}

/** Where a wrapped private half belongs: it opens nowhere else. */
export function vaultKeyPlace({ mspId, tenantId, id }: Pick<VaultKey, 'mspId' | 'tenantId' | 'id'>): string {
  return `vault-key:${mspId}:${tenantId}:${id}`;
}

/** How long after a new key was made passwords that were sealed to the old one on their way here are still taken. */
const lateSeconds = 86_400;
/** How long a key must have stood without passwords before it is destroyed: whoever has just read one has long opened it. */
const emptySeconds = 3_600;

/** Whether a password that is sealed to this key is taken. */
export function acceptsEscrow(key: VaultKey, tenantId: Id, now: Date): boolean {
  return (
    key.tenantId === tenantId && key.wrappedPrivateKey !== null && (key.retiredAt === null || now < addSeconds(key.retiredAt, lateSeconds))
  );
}

/** Keys retired before this take no more passwords. An hour more than `acceptsEscrow` waits, for clocks that are apart. */
export function closedBefore(now: Date): Date {
  return addSeconds(now, -(lateSeconds + 3_600));
}

/** Keys without passwords since before this may be destroyed. */
export function destroyableBefore(now: Date): Date {
  return addSeconds(now, -emptySeconds);
}
