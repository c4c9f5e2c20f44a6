// Accounts and grants as they may be, and what is to be done next: the rows of the tables about steps.
import { expect } from '@jest/globals';
import { addSeconds } from '@stint/kernel';
import type { EntraAccount, Sighting } from '../account/account.domain.ts';
import { nextStep } from '../account/next-step.domain.ts';
import type { Step } from '../account/step.domain.ts';
import type { EntraGrant } from '../grant/grant.domain.ts';
import type { RoleAssignment } from '../graph/roles.port.ts';

export const now = new Date('2026-11-23T12:00:00Z');
export const before = (seconds: number) => addSeconds(now, -seconds);
export const after = (seconds: number) => addSeconds(now, seconds);

export function anAccount(change: Partial<EntraAccount> = {}): EntraAccount {
  return {
    ...{
      mspId: 'msp',
      tenantId: 'tenant',
      id: 'account',
      kind: 'JIT',
      technicianId: 'anna',
      marker: 'stintaaaaabbbbbb',
      objectId: 'object',
    },
    ...{ userPrincipalName: 'jit-anna@contoso.com', state: 'DISABLED', seenAt: null, createdAt: before(3600), rolesChangedAt: null },
    ...{
      prefix: 'jit-',
      nameAttempt: 0,
      creatingSince: null,
      mayBeEnabled: false,
      switchedAt: null,
      sessionsOpen: false,
      passwordKnown: false,
    },
    ...{
      removeNotBefore: null,
      purgeRefusedAt: null,
      restsSince: null,
      restDays: 30,
      discard: false,
      leftIn: null,
      problem: null,
      dueAt: now,
    },
    ...{ ending: false, failures: 0, changes: 0, fence: 1, leaseUntil: null },
    ...change,
  };
}

export function aGrant(change: Partial<EntraGrant> = {}): EntraGrant {
  return {
    ...{
      mspId: 'msp',
      tenantId: 'tenant',
      id: 'grant',
      accountId: 'account',
      technicianId: 'anna',
      wanted: true,
      roleName: 'User Administrator',
    },
    ...{
      scope: '/',
      accountKind: 'JIT',
      reason: null,
      ticket: null,
      recipientKey: 'key',
      sessionSeconds: 3600,
      activateBy: after(300),
      expiresAt: null,
    },
    ...{ phase: 'BEGINNING', roleDefinitionId: 'role', endsByItself: false, credentialKind: 'TEMPORARY_ACCESS_PASS', passMinutes: 60 },
    ...{ passOnce: false, notice: null, assignAskedAt: null, assignmentKind: null, assignmentId: null, builtInEndsAt: null },
    ...{ credentialAt: null, passId: null, credentialEndsAt: null, enc: null, ciphertext: null, collectedAt: null, activeAt: null },
    ...{ endingSince: null, endedAt: null, stuckAt: null, failure: null, reportVersion: 0 },
    ...change,
  };
}

export const role: RoleAssignment = {
  id: 'assignment',
  principalId: 'object',
  roleDefinitionId: 'role',
  scope: '/',
  kind: 'DIRECT',
  endsAt: null,
};
export const pass = { id: 'pass', usable: true, usability: 'EnabledByPolicy' };
export const given = {
  assignAskedAt: before(600),
  assignmentKind: 'LEASE',
  assignmentId: 'assignment',
  credentialAt: before(600),
  passId: 'pass',
} as const;
export const anActive = (change: Partial<EntraGrant> = {}) => aGrant({ ...given, phase: 'ACTIVE', activeAt: before(600), ...change });
export const anEnding = (change: Partial<EntraGrant> = {}) =>
  anActive({ phase: 'ENDING', wanted: false, endingSince: before(5), ...change });

export function seen(change: Partial<Sighting> & { enabled?: boolean; gone?: boolean } = {}): Sighting {
  const { enabled = true, gone = false, ...rest } = change;
  const user = gone ? null : { id: 'object', userPrincipalName: 'jit-anna@contoso.com', enabled, createdAt: before(3600) };
  return { user, inBin: false, roles: [], passes: [], fresh: true, doubt: null, lastAdministrator: false, ...rest };
}

export const open = { mayBeEnabled: true, sessionsOpen: true, passwordKnown: true };
export const closed = { restsSince: before(60) };

export interface Row {
  when: string;
  account?: Partial<EntraAccount>;
  grants?: EntraGrant[];
  sighting: Sighting | null;
  inactive?: boolean;
  protectedBy?: string;
  then: Step['do'];
  until?: Date | null;
}

/** Whether the next step is the one that the row names. */
export function check({
  account,
  grants = [],
  sighting,
  inactive = false,
  protectedBy = null,
  then,
  until,
}: Omit<Row, 'protectedBy'> & { protectedBy?: string | null }): void {
  const step = nextStep({ account: anAccount(account), grants, technicianActive: !inactive, protectedBy, now }, sighting);
  expect(step.do).toBe(then);
  if (until !== undefined) expect(step.do === 'REST' ? step.until : undefined).toEqual(until);
}
