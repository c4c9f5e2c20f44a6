import { createPublicKey, X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { jwtVerify } from 'jose';
import { makeClientCertificate, signClientAssertion } from './client-certificate.ts';

const startsAt = new Date('2026-11-23T12:00:00Z');
const endsAt = new Date('2027-11-23T12:00:00Z');

test('a certificate of its own: what others read in it is what was asked for, and its key signs', async () => {
  const made = await makeClientCertificate({ commonName: 'Stint for Example', startsAt, endsAt });
  const read = new X509Certificate(made.pem);
  expect(read.subject).toBe('CN=Stint for Example');
  expect([new Date(read.validFrom), new Date(read.validTo)]).toEqual([startsAt, endsAt]);
  expect(read.verify(read.publicKey)).toBe(true);
  expect(read.fingerprint.replaceAll(':', '')).toBe(made.thumbprint);
  expect(Buffer.from(made.thumbprintS256, 'base64url').toString('hex').toUpperCase()).toBe(read.fingerprint256.replaceAll(':', ''));
  expect(read.publicKey.asymmetricKeyDetails?.modulusLength).toBe(3072);

  const claims = { clientId: 'client', audience: 'https://login/token', thumbprintS256: made.thumbprintS256, now: startsAt };
  const assertion = await signClientAssertion(made.privateKey, claims);
  const { payload, protectedHeader } = await jwtVerify(assertion, createPublicKey(made.pem), { currentDate: startsAt });
  expect(protectedHeader).toEqual({ alg: 'PS256', typ: 'JWT', 'x5t#S256': made.thumbprintS256 });
  expect(payload).toMatchObject({ iss: 'client', sub: 'client', aud: 'https://login/token', exp: startsAt.getTime() / 1000 + 300 });
  await expect(jwtVerify(assertion, createPublicKey(made.pem), { currentDate: new Date(startsAt.getTime() + 301_000) })).rejects.toThrow(
    'exp',
  );
});
