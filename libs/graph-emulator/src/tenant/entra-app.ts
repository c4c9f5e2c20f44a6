import { createHash, createPublicKey, randomUUID, X509Certificate } from 'node:crypto';
import { addSeconds } from '@stint/kernel';
import type { AppState, CertificateState, SecretState } from '../state/state.ts';
import { hash, iso, type Store } from '../state/store.ts';
import type { GraphPermission } from '../token/permissions.ts';
import type { BuiltInRole } from '../roles/role-templates.ts';

const yearSeconds = 365 * 86_400;

/** A certificate of an app: itself as PEM, or its public key as PEM with the thumbprints that assertions will name. */
export interface AppCertificate {
  pem: string;
  x5t?: string;
  'x5t#S256'?: string;
  startsAt?: Date;
  endsAt?: Date;
  displayName?: string;
}

/** An app registration and its service principal in the tenant. */
export interface AppRegistration {
  clientId?: string;
  displayName?: string;
  secrets?: { value: string; endsAt?: Date; displayName?: string }[];
  certificates?: AppCertificate[];
  /** Application permissions that it asks for. */
  permissions?: readonly GraphPermission[];
  /** False: nobody of the tenant has consented yet. True when left out: to all of `permissions`. */
  consented?: boolean | readonly GraphPermission[];
  /** Directory roles of its service principal. */
  directoryRoles?: readonly BuiltInRole[];
}

/** The app as the state keeps it. */
export function makeApp(store: Store, given: AppRegistration): AppState {
  const requested = [...(given.permissions ?? [])];
  const consented = given.consented ?? true;
  return {
    clientId: given.clientId ?? randomUUID(),
    displayName: given.displayName ?? 'Stint',
    applicationId: randomUUID(),
    servicePrincipalId: randomUUID(),
    secrets: (given.secrets ?? []).map((secret) => makeSecret(store, secret)),
    certificates: (given.certificates ?? []).map((certificate) => makeCertificate(store, certificate)),
    requested,
    granted: consented === false ? null : consented === true ? [...requested] : [...consented],
    enabled: true,
    blockedByConditionalAccess: false,
  };
}

function makeSecret(store: Store, { value, endsAt, displayName = 'secret' }: NonNullable<AppRegistration['secrets']>[number]): SecretState {
  return {
    ...{ keyId: randomUUID(), displayName, startsAt: store.nowIso(), endsAt: iso(endsAt ?? addSeconds(store.now(), yearSeconds)) },
    ...{ secretHash: hash(value), hint: value.slice(0, 3) },
  };
}

function makeCertificate(store: Store, given: AppCertificate): CertificateState {
  const certificate = given.pem.includes('BEGIN CERTIFICATE') ? new X509Certificate(given.pem) : null;
  const thumbprint = (algorithm: 'sha1' | 'sha256') =>
    certificate === null ? null : createHash(algorithm).update(certificate.raw).digest('base64url');
  const startsAt = given.startsAt ?? (certificate === null ? store.now() : new Date(certificate.validFrom));
  const endsAt = given.endsAt ?? (certificate === null ? addSeconds(store.now(), yearSeconds) : new Date(certificate.validTo));
  return {
    ...{ keyId: randomUUID(), displayName: given.displayName ?? 'certificate', startsAt: iso(startsAt), endsAt: iso(endsAt) },
    publicKey: createPublicKey(given.pem).export({ format: 'jwk' }),
    ...{ x5t: given.x5t ?? thumbprint('sha1'), x5tS256: given['x5t#S256'] ?? thumbprint('sha256') },
  };
}
