/** What a caller may be allowed to do. Roles are named bundles of these; API clients get a chosen set. */
export const permissions = [
  'tenant.read',
  'tenant.write',
  'technician.read',
  'technician.write',
  'device.read',
  'device.write',
  'settings.read',
  'settings.write',
  'access-rule.read',
  'access-rule.write',
  'login.approve',
  'access.approve',
  'grant.read',
  'grant.end',
  'laps.reveal',
  'laps.manage',
  'entra.read',
  'entra.manage',
  'audit.read',
  'client.write',
] as const;
export type Permission = (typeof permissions)[number];

export const roles = ['ADMINISTRATOR', 'TECHNICIAN', 'AUDITOR', 'HELPDESK'] as const;
export type Role = (typeof roles)[number];

/** The permissions of each role, in the tenant on which it is held and in all below. */
export const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  ADMINISTRATOR: permissions,
  TECHNICIAN: [
    'tenant.read',
    'technician.read',
    'device.read',
    'settings.read',
    'access-rule.read',
    'login.approve',
    'access.approve',
    'grant.read',
    'grant.end',
    'laps.reveal',
    'entra.read',
  ],
  AUDITOR: ['tenant.read', 'technician.read', 'device.read', 'settings.read', 'access-rule.read', 'grant.read', 'audit.read', 'entra.read'],
  HELPDESK: ['tenant.read', 'device.read', 'laps.reveal'],
};

/** A role held on one tenant, which counts for that tenant and all below. */
export interface RoleAssignment {
  tenantId: string;
  role: Role;
}

/** What a caller may do in one tenant and all below it. */
export interface Access {
  tenantId: string;
  permissions: Permission[];
}

/** What role assignments allow: one entry for each tenant on which any role is held, in the order of `permissions`. */
export function accessOf(assignments: readonly RoleAssignment[]): Access[] {
  const held = new Map<string, Set<Permission>>();
  for (const { tenantId, role } of assignments) {
    const there = held.get(tenantId) ?? new Set();
    for (const permission of rolePermissions[role]) there.add(permission);
    held.set(tenantId, there);
  }
  return [...held].map(([tenantId, there]) => ({ tenantId, permissions: permissions.filter((one) => there.has(one)) }));
}
