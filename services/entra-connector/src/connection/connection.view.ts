import type { ConnectionProblem } from './finding.domain.ts';
import { whyUnusable } from './connection.domain.ts';
import type { ShownConnection } from './connection.service.ts';
import { dependentProblems } from './dependent.domain.ts';
import { daysUntil, warningDue, type Credential } from './credential.domain.ts';
import { neededPermissions, neededRoles } from './permission.domain.ts';
import { setupSteps } from './setup.domain.ts';

/** A connection as GraphQL shows it. Secrets and private keys have no field. */
export function connectionView(shown: ShownConnection, redirectUri: string) {
  const { connection, credentials, remaining, dependents, now } = shown;
  const { facts } = connection;
  return {
    __typename: 'EntraConnection' as const,
    ...{ id: connection.tenantId, state: connection.state, cloud: connection.cloud, entraTenantId: connection.entraTenantId },
    ...{ clientId: connection.clientId, consentedAt: connection.consentedAt, verifiedAt: connection.verifiedAt },
    ...{ usable: connection.state === 'READY', whyUnusable: whyUnusable(connection), remaining },
    problems: [...connection.problems, ...credentials.flatMap((one) => expiring(one, now)), ...dependentProblems(connection, dependents)],
    ...{ entraTenantName: facts?.displayName ?? null, rolesCanEnd: facts?.rolesCanEnd ?? null, passesFor: facts?.passes ?? null },
    domains: facts?.domains ?? [],
    permissions: neededPermissions.map(({ name, why, required, broader }) => {
      const granted = facts === null ? null : [name, ...broader].some((one) => facts.permissions.includes(one));
      return { name, why, required, granted };
    }),
    credentials: credentials.map((one) => ({
      ...{ id: one.id, kind: one.kind, state: one.state, createdAt: one.createdAt, endsAt: one.endsAt },
      ...{ certificatePem: one.certificatePem, thumbprint: one.thumbprint, daysLeft: daysUntil(one.endsAt, now) },
    })),
    steps: setupSteps(shown, redirectUri),
  };
}

/** What to prepare before anything is known of a tenant. */
export function setupView(redirectUri: string) {
  return {
    redirectUri,
    permissions: neededPermissions.map(({ name, why, required }) => ({ name, why, required, granted: null })),
    directoryRoles: neededRoles.map(({ name, why, required }) => ({ name, why, required })),
    steps: setupSteps(null, redirectUri),
  };
}

/** Warns of the credential in use from 30 days before its end. */
function expiring(credential: Credential, now: Date): ConnectionProblem[] {
  if (credential.state !== 'IN_USE' || warningDue(credential.endsAt, now) === null) return [];
  const kind = credential.kind === 'SECRET' ? 'client secret' : 'certificate';
  return [
    {
      ...{ code: 'CREDENTIAL_EXPIRING', blocking: false, about: credential.id },
      message: `The ${kind} ends on ${credential.endsAt.toISOString().slice(0, 10)}.`,
      nextStep:
        'Add a new certificate here, upload it in Entra, and verify. It takes over without a gap; then remove the old one in Entra.',
    },
  ];
}
