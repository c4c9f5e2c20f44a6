import type { Access, Permission } from '@stint/contracts';
import type { Id } from '@stint/kernel';

export type SubjectKind = 'DEVICE' | 'CLIENT';

/** A registered public key and whom it proves. */
export interface Credential {
  mspId: Id;
  tenantId: Id;
  id: Id;
  kind: SubjectKind;
  subjectId: Id;
  /** The `x` of the Ed25519 JWK. */
  publicKey: string;
  /** Registered by rotation and not used yet. */
  pending: boolean;
  /** An API client's own permissions. */
  granted: readonly Permission[];
}

/** What the credential's subject may do where: an API client what it was given, a device nothing. */
export function accessOfCredential(credential: Pick<Credential, 'kind' | 'tenantId' | 'granted'>): Access[] {
  switch (credential.kind) {
    case 'CLIENT':
      return [{ tenantId: credential.tenantId, permissions: [...credential.granted] }];
    case 'DEVICE':
      return [];
  }
}

/** How long an old key is good beside its successor, at the latest, in seconds. */
export const rotationSeconds = 24 * 3600;
