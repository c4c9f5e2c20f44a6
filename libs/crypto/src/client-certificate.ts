import { createHash, createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import { newId } from '@stint/kernel';

/** A certificate by which an application proves itself, and its key. */
export interface ClientCertificate {
  /** The public part, to be uploaded. */
  pem: string;
  /** SHA-1 over its DER in hexadecimal, as Microsoft shows it (never relied on). */
  thumbprint: string;
  /** SHA-256 over its DER in base64url: `x5t#S256` of what its key signs (RFC 7515 §4.1.8). */
  thumbprintS256: string;
  /** PKCS #8, DER. A secret: wrap it, and clear it. */
  privateKey: Buffer;
}

const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 3072 };

/** Makes an RSA key pair (3072 bits) and a certificate for it, signed by itself. `commonName` is shown where it is uploaded. */
export async function makeClientCertificate(options: { commonName: string; startsAt: Date; endsAt: Date }): Promise<ClientCertificate> {
  // Loaded when a certificate is made, which is seldom; the package wants the polyfill before it.
  await import('reflect-metadata');
  const { X509CertificateGenerator } = await import('@peculiar/x509');
  // The global one: whether TypeScript knows the browser's types or Node's, these are the ones that the package takes.
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    // 16 bytes, never negative, never the same again (RFC 5280 §4.1.2.2).
    serialNumber: newId().replaceAll('-', ''),
    name: [{ CN: [options.commonName] }],
    ...{ notBefore: options.startsAt, notAfter: options.endsAt, signingAlgorithm: algorithm, keys },
  });
  const der = Buffer.from(certificate.rawData);
  return {
    pem: certificate.toString('pem'),
    thumbprint: createHash('sha1').update(der).digest('hex').toUpperCase(),
    thumbprintS256: createHash('sha256').update(der).digest('base64url'),
    privateKey: Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)),
  };
}

/** A client assertion (RFC 7523 §2.2) of `clientId` for `audience`, signed PS256 with the certificate's key; it holds for five minutes. */
export async function signClientAssertion(
  privateKey: Buffer,
  claims: { clientId: string; audience: string; thumbprintS256: string; now: Date },
): Promise<string> {
  const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' });
  const seconds = Math.floor(claims.now.getTime() / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'PS256', typ: 'JWT', 'x5t#S256': claims.thumbprintS256 })
    .setIssuer(claims.clientId)
    .setSubject(claims.clientId)
    .setAudience(claims.audience)
    .setJti(newId())
    .setIssuedAt(seconds)
    .setNotBefore(seconds)
    .setExpirationTime(seconds + 300)
    .sign(key);
}
