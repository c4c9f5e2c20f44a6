import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

export const totpPeriodSeconds = 30;

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

function parameters(seed: Buffer) {
  const secret = new Secret({ buffer: new Uint8Array(seed).buffer });
  return { secret, algorithm: 'SHA1', digits: 6, period: totpPeriodSeconds };
}
