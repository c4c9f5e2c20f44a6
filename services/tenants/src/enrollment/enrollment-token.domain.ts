import type { Id } from '@stint/kernel';
import type { DeviceKind } from '../device/device.domain.ts';

/** With which devices enrol. The token itself is kept only as a hash. */
export interface EnrollmentToken {
  mspId: Id;
  tenantId: Id;
  id: Id;
  kind: DeviceKind;
  usesLeft: number;
  expiresAt: Date;
  revoked: boolean;
}

export const maxUses = 10_000;
export const shortestSeconds = 60;
export const longestSeconds = 30 * 24 * 3600;
