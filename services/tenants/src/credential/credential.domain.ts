import { accessOf, type Access, type Permission, type RoleAssignment } from '@stint/contracts';
import type { Id } from '@stint/kernel';

export type SubjectKind = 'TECHNICIAN' | 'DEVICE' | 'CLIENT';

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
  /** A technician's roles. */
  roles: readonly RoleAssignment[];
  /** An API client's own permissions. */
  granted: readonly Permission[];
}

/** What the credential's subject may do where: a technician by roles, an API client what it was given, a device nothing. */
export function accessOfCredential(credential: Pick<Credential, 'kind' | 'tenantId' | 'roles' | 'granted'>): Access[] {
  switch (credential.kind) {
    case 'TECHNICIAN':
      return accessOf(credential.roles);
    case 'CLIENT':
      return [{ tenantId: credential.tenantId, permissions: [...credential.granted] }];
    case 'DEVICE':
      return [];
  }
}

/** How long an old key is good beside its successor, at the latest, in seconds. */
export const rotationSeconds = 24 * 3600;
