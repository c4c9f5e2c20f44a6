import { rolePermissions, type Permission, type Role } from '@stint/contracts';
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
  /** A technician's roles. */
  roles: readonly Role[];
  /** An API client's own permissions. */
  granted: readonly Permission[];
}

/** What the credential's subject may do: a technician by roles, an API client what it was given, a device nothing. */
export function permissionsOf(credential: Pick<Credential, 'kind' | 'roles' | 'granted'>): Permission[] {
  switch (credential.kind) {
    case 'TECHNICIAN':
      return [...new Set(credential.roles.flatMap((role) => rolePermissions[role]))];
    case 'CLIENT':
      return [...credential.granted];
    case 'DEVICE':
      return [];
  }
}
