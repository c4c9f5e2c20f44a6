import { randomUUID } from 'node:crypto';
import type { TenantState } from '../state/state.ts';

/** How a tenant begins. What is left out is as in a fresh Entra tenant with P2, and Temporary Access Passes allowed. */
export type TenantGiven = Partial<
  Pick<TenantState, 'id' | 'displayName' | 'domains' | 'licences' | 'bannedPasswords' | 'mfaAtPortals' | 'declinesConsent'>
> & {
  tapPolicy?: Partial<TenantState['tapPolicy']>;
  pimPolicy?: Partial<TenantState['pimPolicy']>;
};

/** The state of a tenant in which nothing has happened yet. */
export function newTenant(at: string, given: TenantGiven): TenantState {
  const id = given.id ?? randomUUID();
  return {
    id,
    displayName: given.displayName ?? 'Contoso',
    createdAt: at,
    domains: given.domains ?? [
      { name: `contoso${id.slice(0, 8)}.onmicrosoft.com`, isDefault: true, isInitial: true, authenticationType: 'Managed' },
    ],
    licences: given.licences ?? 'P2',
    // Microsoft's own defaults of the policy.
    tapPolicy: {
      ...{ state: 'enabled', minimumLifetimeInMinutes: 60, maximumLifetimeInMinutes: 480, defaultLifetimeInMinutes: 60 },
      ...{ defaultLength: 8, isUsableOnce: false, includedGroupIds: null },
      ...given.tapPolicy,
    },
    pimPolicy: { maximumDurationSeconds: null, justificationRequired: false, ticketRequired: false, ...given.pimPolicy },
    bannedPasswords: given.bannedPasswords ?? ['password', 'contoso'],
    mfaAtPortals: given.mfaAtPortals ?? true,
    declinesConsent: given.declinesConsent ?? false,
    apps: [],
    users: [],
    groups: [],
    administrativeUnits: [],
    customRoles: [],
    roleAssignments: [],
    roleRequests: [],
    passes: [],
    step: 1,
    oldestDeltaStep: 0,
    purged: [],
    unsettled: {},
  };
}
