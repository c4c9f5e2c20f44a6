import type { Id } from '@stint/kernel';

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
