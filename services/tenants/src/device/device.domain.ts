import type { Id } from '@stint/kernel';

export const deviceKinds = ['WORKSTATION', 'SERVER', 'DOMAIN_CONTROLLER'] as const;
export type DeviceKind = (typeof deviceKinds)[number];

/** A computer with an agent. */
export interface Device {
  mspId: Id;
  tenantId: Id;
  id: Id;
  kind: DeviceKind;
  hostName: string;
  platform: string;
  /** The AD domain that it is joined to, as its DNS name. */
  domain: string | null;
  /** What access rules name devices by. */
  tags: readonly string[];
  /** What stays the same when the machine is enrolled again. */
  hardwareId: string;
  /** X25519 public key (base64url) to which secrets for this device are sealed. */
  hpkeKey: string;
  /** The enrolment token that it came with. */
  enrolledWith: Id;
  active: boolean;
  enrolledAt: Date;
  lastSeenAt: Date | null;
  version: number;
}
