import { hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

export const totpPeriodSeconds = 30;

/** The purpose of a device's own TOTP secret: what it is derived for (with the device's id), and what it is sealed to. */
export const offlineTotpInfo = 'stint-offline-totp-v1';
/** How far a clock may be off to be told so: ten minutes. */
const furthestHintSteps = 20;

/** A new TOTP secret: 20 random bytes, the length of SHA-1's output (RFC 4226 §4, R6). */
export function newTotpSeed(): Buffer {
  return randomBytes(20);
}

/** The `otpauth://` URI that an authenticator app scans. It holds the secret. */
export function totpUri(seed: Buffer, labels: { issuer: string; account: string }): string {
  return new TOTP({ ...parameters(seed), issuer: labels.issuer, label: labels.account }).toString();
}

/** The time step of an instant (RFC 6238 §4.2). */
export function totpStep(at: Date): number {
  return Math.floor(at.getTime() / 1000 / totpPeriodSeconds);
}

/** The six digits of a time step (RFC 6238, SHA-1). */
export function totpCode(seed: Buffer, step: number): string {
  return new TOTP(parameters(seed)).generate({ timestamp: step * totpPeriodSeconds * 1000 });
}

/**
 * The time step that `code` belongs to, or null. Accepts the present step and one on each side, and only steps after
 * `lastStep`, the last one that was used. Six ASCII digits exactly: no spaces, no other digits.
 */
export function matchTotp(input: { seed: Buffer; code: string; now: Date; lastStep: number | null }): number | null {
  if (!/^[0-9]{6}$/.test(input.code)) return null;
  const given = Buffer.from(input.code);
  const present = totpStep(input.now);
  let matched: number | null = null;
  for (const step of [present - 1, present, present + 1]) {
    const equal = timingSafeEqual(given, Buffer.from(totpCode(input.seed, step)));
    if (equal && matched === null && (input.lastStep === null || step > input.lastStep)) matched = step;
  }
  return matched;
}

/**
 * How many steps a clock is off in which `code` would be right, or null: from -20 to 20, negative for a clock that is
 * behind, never the steps that `matchTotp` accepts. The nearest counts.
 */
export function totpClockHint(seed: Buffer, code: string, now: Date): number | null {
  if (!/^[0-9]{6}$/.test(code)) return null;
  const given = Buffer.from(code);
  const present = totpStep(now);
  let hint: number | null = null;
  for (let off = 2; off <= furthestHintSteps; off += 1) {
    for (const steps of [-off, off]) {
      const equal = timingSafeEqual(given, Buffer.from(totpCode(seed, present + steps)));
      if (equal && hint === null) hint = steps;
    }
  }
  return hint;
}

/** The TOTP secret of one technician for one device: 20 bytes, HKDF-SHA-256 (RFC 5869) of the technician's, without salt. It tells nothing about another device's. */
export function deviceTotpSeed(seed: Buffer, deviceId: string): Buffer {
  return Buffer.from(hkdfSync('sha256', seed, Buffer.alloc(0), `${offlineTotpInfo}${deviceId}`, 20));
}

/** The place to which a device's TOTP secret is sealed (additional data of HPKE). */
export function offlineTotpPlace(deviceId: string, technicianId: string): string {
  return `${deviceId} ${technicianId}`;
}

function parameters(seed: Buffer) {
  const secret = new Secret({ buffer: new Uint8Array(seed).buffer });
  return { secret, algorithm: 'SHA1', digits: 6, period: totpPeriodSeconds };
}
