import type {
  Application,
  AppRoleAssignment,
  Domain,
  Organization,
  ServicePrincipal,
  SubscribedSku,
} from '@microsoft/microsoft-graph-types';
import { createHash } from 'node:crypto';
import { forbidden, resourceNotFound, type Answer } from '../http/answer.ts';
import { bodyOf, invalidValue, type Call, type Route } from '../http/call.ts';
import { entity, list } from '../http/list.ts';
import { rolesOf } from '../roles/role-holding.ts';
import { rolesOfTenant } from '../roles/role-routes.ts';
import type { AppState, CertificateState, EntraDomain, Licences, SecretState, TenantState } from '../state/state.ts';
import { allows, microsoftGraphAppId, permissionIds, type GraphPermission } from '../token/permissions.ts';

function presentOrganization(tenant: TenantState): Organization & { id: string } {
  return {
    id: tenant.id,
    createdDateTime: tenant.createdAt,
    deletedDateTime: null,
    displayName: tenant.displayName,
    countryLetterCode: 'DE',
    onPremisesSyncEnabled: null,
    tenantType: 'AAD',
    verifiedDomains: tenant.domains.map((domain) => ({
      name: domain.name,
      isDefault: domain.isDefault,
      isInitial: domain.isInitial,
      type: domain.authenticationType,
      capabilities: 'Email, OfficeCommunicationsOnline',
    })),
  };
}

function presentDomain(domain: EntraDomain): Domain & { id: string } {
  return {
    id: domain.name,
    authenticationType: domain.authenticationType,
    availabilityStatus: null,
    isAdminManaged: true,
    isDefault: domain.isDefault,
    isInitial: domain.isInitial,
    isRoot: true,
    isVerified: true,
    passwordNotificationWindowInDays: null,
    passwordValidityPeriodInDays: null,
    supportedServices: ['Email'],
  };
}

// Service plans that matter here, with their published ids (Product names and service plan identifiers for licensing).
const plans = {
  FREE: [],
  P1: [
    { sku: '078d2b04-f1bd-4111-bbd4-b4b1b354cef4', part: 'AAD_PREMIUM', plan: '41781fb2-bc02-4b7c-bd55-b576c07bb09d', name: 'AAD_PREMIUM' },
  ],
  P2: [
    {
      sku: '84a661c4-e949-4bd2-a560-ed7766fcaf2b',
      part: 'AAD_PREMIUM_P2',
      plan: 'eec0eb4f-6444-4f95-aba0-50c24d67f998',
      name: 'AAD_PREMIUM_P2',
    },
  ],
} satisfies Record<Licences, object[]>;

function subscribedSkus(tenant: TenantState): (SubscribedSku & { id: string })[] {
  return plans[tenant.licences].map(({ sku, part, plan, name }) => ({
    id: `${tenant.id}_${sku}`,
    accountId: tenant.id,
    accountName: tenant.displayName,
    appliesTo: 'User',
    capabilityStatus: 'Enabled',
    consumedUnits: 1,
    prepaidUnits: { enabled: 25, suspended: 0, warning: 0, lockedOut: 0 },
    skuId: sku,
    skuPartNumber: part,
    subscriptionIds: [],
    servicePlans: [{ servicePlanId: plan, servicePlanName: name, provisioningStatus: 'Success', appliesTo: 'User' }],
  }));
}

/** An id that follows from what it stands for, so that it stays the same without being kept. */
function derivedId(...parts: readonly string[]): string {
  const digits = createHash('sha256').update(parts.join('/')).digest('hex');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}

const graphPrincipalId = (tenant: TenantState) => derivedId(tenant.id, microsoftGraphAppId);

function presentServicePrincipal(app: AppState): ServicePrincipal & { id: string } {
  return {
    id: app.servicePrincipalId,
    accountEnabled: app.enabled,
    appDisplayName: app.displayName,
    appId: app.clientId,
    appRoles: [],
    displayName: app.displayName,
    servicePrincipalType: 'Application',
    keyCredentials: [],
    passwordCredentials: [],
  };
}

function presentGraph(tenant: TenantState): ServicePrincipal & { id: string } {
  return {
    id: graphPrincipalId(tenant),
    accountEnabled: true,
    appDisplayName: 'Microsoft Graph',
    appId: microsoftGraphAppId,
    appRoles: Object.entries(permissionIds).map(([value, id]) => ({
      id,
      value,
      allowedMemberTypes: ['Application'],
      description: value,
      displayName: value,
      isEnabled: true,
      origin: 'Application',
    })),
    displayName: 'Microsoft Graph',
    servicePrincipalType: 'Application',
    keyCredentials: [],
    passwordCredentials: [],
  };
}

function servicePrincipals(tenant: TenantState): (ServicePrincipal & { id: string })[] {
  return [presentGraph(tenant), ...tenant.apps.filter(({ granted }) => granted !== null).map(presentServicePrincipal)];
}

/** By id, or `appId` in the manner of a key (`servicePrincipals(appId='…')`). */
function servicePrincipalOf({ tenant, params }: Call): ServicePrincipal & { id: string } {
  const found = servicePrincipals(tenant).find(({ id, appId }) =>
    params['appId'] === undefined ? id === params['id'] : appId === params['appId'],
  );
  if (found === undefined) throw resourceNotFound(params['id'] ?? params['appId'] ?? '');
  return found;
}

function appRoleAssignments(call: Call): Answer {
  const { tenant } = call;
  const principal = servicePrincipalOf(call);
  const app = tenant.apps.find(({ servicePrincipalId }) => servicePrincipalId === principal.id);
  const granted = (app?.granted ?? []).map((name): AppRoleAssignment & { id: string } => ({
    id: Buffer.from(derivedId(principal.id, name)).toString('base64url'),
    deletedDateTime: null,
    appRoleId: permissionIds[name as GraphPermission],
    createdDateTime: tenant.createdAt,
    principalDisplayName: principal.displayName ?? null,
    principalId: principal.id,
    principalType: 'ServicePrincipal',
    resourceDisplayName: 'Microsoft Graph',
    resourceId: graphPrincipalId(tenant),
  }));
  return list(call, granted, {
    ...{
      context: `servicePrincipals('${principal.id}')/appRoleAssignments`,
      present: (one) => one,
      filterable: ['resourceId'],
      maximumTop: 999,
    },
  });
}

/** Directory roles of a service principal, as Graph shows them: `directoryRole` objects among what it is a member of. */
function memberOf(call: Call): Answer {
  const { store, tenant } = call;
  const held = rolesOf(store, tenant, servicePrincipalOf(call).id);
  const roles = rolesOfTenant(tenant).filter(({ id }) => held.has(id));
  return list(call, roles, {
    context: 'directoryObjects',
    present: ({ id, displayName, description }) => ({
      '@odata.type': '#microsoft.graph.directoryRole',
      ...{ id: derivedId(tenant.id, id), deletedDateTime: null, description, displayName, roleTemplateId: id },
    }),
    ...{ filterable: [], maximumTop: 999 },
  });
}

const presentCredential = ({ keyId, displayName, startsAt, endsAt }: SecretState | CertificateState) => ({
  ...{ keyId, displayName, startDateTime: startsAt, endDateTime: endsAt, customKeyIdentifier: null },
});

/** The registration of an app, with when its credentials end; secrets and keys themselves are never told. */
function presentApplication(app: AppState): Application & { id: string } {
  return {
    id: app.applicationId,
    appId: app.clientId,
    deletedDateTime: null,
    displayName: app.displayName,
    signInAudience: 'AzureADMultipleOrgs',
    passwordCredentials: app.secrets.map((secret) => ({ ...presentCredential(secret), hint: secret.hint, secretText: null })),
    keyCredentials: app.certificates.map((one) => ({ ...presentCredential(one), type: 'AsymmetricX509Cert', usage: 'Verify', key: null })),
    requiredResourceAccess: [
      {
        resourceAppId: microsoftGraphAppId,
        resourceAccess: app.requested.map((name) => ({ id: permissionIds[name as GraphPermission], type: 'Role' })),
      },
    ],
  };
}

function applicationOf({ tenant, params }: Call): AppState {
  const found = tenant.apps.find(({ clientId, applicationId }) =>
    params['appId'] === undefined ? applicationId === params['id'] : clientId === params['appId'],
  );
  if (found === undefined) throw resourceNotFound(params['appId'] ?? params['id'] ?? '');
  return found;
}

/** An app may take credentials away from its own registration: what is sent is what stays. New ones come by the builder. */
function updateApplication(call: Call): Answer {
  const app = applicationOf(call);
  if (app.clientId !== call.app.clientId) throw forbidden();
  const body = bodyOf(call);
  const kept = (property: string): Set<unknown> | null => {
    const value = body[property];
    if (value === undefined) return null;
    if (!Array.isArray(value)) throw invalidValue(property);
    return new Set(value.map((one: { keyId?: unknown }) => one.keyId));
  };
  const [secrets, certificates] = [kept('passwordCredentials'), kept('keyCredentials')];
  if (secrets !== null) app.secrets = app.secrets.filter(({ keyId }) => secrets.has(keyId));
  if (certificates !== null) app.certificates = app.certificates.filter(({ keyId }) => certificates.has(keyId));
  return { status: 204 };
}

const both = (set: 'servicePrincipals' | 'applications', rest: string, route: Omit<Route, 'pattern'>): Route[] => [
  { ...route, pattern: `/${set}/{id}${rest}` },
  { ...route, pattern: `/${set}(appId='{appId}')${rest}` },
];

export const organizationRoutes: readonly Route[] = [
  {
    method: 'GET',
    pattern: '/organization',
    permissions: allows.readOrganization,
    handle: (call) => list(call, [call.tenant], { context: 'organization', present: presentOrganization, filterable: [], maximumTop: 999 }),
  },
  {
    method: 'GET',
    pattern: '/organization/{id}',
    permissions: allows.readOrganization,
    handle: (call) => {
      if (call.params['id'] !== call.tenant.id) throw resourceNotFound(call.params['id'] ?? '');
      return entity(call, 'organization', presentOrganization(call.tenant));
    },
  },
  {
    method: 'GET',
    pattern: '/domains',
    permissions: allows.readDomains,
    handle: (call) => {
      const domains = call.tenant.domains.map(presentDomain);
      return list(call, domains, { context: 'domains', present: (domain) => domain, filterable: [], maximumTop: 999 });
    },
  },
  {
    method: 'GET',
    pattern: '/subscribedSkus',
    permissions: allows.readOrganization,
    handle: (call) =>
      list(call, subscribedSkus(call.tenant), { context: 'subscribedSkus', present: (sku) => sku, filterable: [], maximumTop: null }),
  },
  {
    method: 'GET',
    pattern: '/servicePrincipals',
    permissions: allows.readApps,
    handle: (call) =>
      list(call, servicePrincipals(call.tenant), {
        ...{ context: 'servicePrincipals', present: (one) => one, filterable: ['appId', 'displayName', 'id'], maximumTop: 999 },
      }),
  },
  ...both('servicePrincipals', '', {
    ...{ method: 'GET', permissions: allows.readApps, handle: (call) => entity(call, 'servicePrincipals', servicePrincipalOf(call)) },
  }),
  ...both('servicePrincipals', '/appRoleAssignments', { method: 'GET', permissions: allows.readApps, handle: appRoleAssignments }),
  ...both('servicePrincipals', '/memberOf', { method: 'GET', permissions: allows.readApps, handle: memberOf }),
  ...both('servicePrincipals', '/transitiveMemberOf', { method: 'GET', permissions: allows.readApps, handle: memberOf }),
  ...both('applications', '', {
    ...{
      method: 'GET',
      permissions: allows.readApps,
      handle: (call) => entity(call, 'applications', presentApplication(applicationOf(call))),
    },
  }),
  ...both('applications', '', { method: 'PATCH', permissions: allows.writeOwnApp, handle: updateApplication }),
  {
    method: 'GET',
    pattern: '/directory/administrativeUnits',
    permissions: allows.readUnits,
    handle: (call) =>
      list(call, call.tenant.administrativeUnits, {
        context: 'directory/administrativeUnits',
        present: ({ id, displayName }) => ({ id, deletedDateTime: null, description: null, displayName, visibility: null }),
        filterable: ['displayName', 'id'],
        maximumTop: 999,
      }),
  },
];
