import type { Id } from '@stint/kernel';
import type { EntraAccountKind } from '@stint/contracts';

/** An account on a device, for the login that it was asked for by. */
export interface DeviceTarget {
  kind: 'DEVICE';
  deviceId: Id;
  loginRequestId: Id;
  accountId: Id;
  accountName: string;
  /** Copied from the settings when it was approved. */
  idleEndSeconds: number;
  removeNewPrivileged: boolean;
}

/** A role in the customer's Entra tenant, as it is asked for. */
export interface EntraAccess {
  /** Its display name. */
  roleName: string;
  /** Where it counts (Graph's `directoryScopeId`). */
  scope: string;
  accountKind: EntraAccountKind;
  /** The X25519 public key to which the one-time credential is sealed. */
  recipientKey: string;
}

export interface EntraTarget extends EntraAccess {
  kind: 'ENTRA';
  /** Null until the account was seen in Entra. */
  accountName: string | null;
  /** Grows each time that services/entra-connector is told what must be. */
  version: number;
}

export type GrantTarget = DeviceTarget | EntraTarget;
