import { createPrivateKey } from 'node:crypto';

/** The key by which push services recognise this installation (RFC 8292), as `web-push` takes it: base64url of the raw P-256 keys. */
export interface VapidKey {
  publicKey: string;
  privateKey: string;
}

/** Reads a P-256 private key (PKCS#8 PEM). Throws for any other. */
export function vapidKeyFromPem(pem: string): VapidKey {
  const { crv, d, x, y } = createPrivateKey(pem).export({ format: 'jwk' });
  if (crv !== 'P-256' || d === undefined || x === undefined || y === undefined) throw new Error('The VAPID key is no P-256 private key.');
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return { publicKey: point.toString('base64url'), privateKey: d };
}
