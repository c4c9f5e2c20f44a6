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
  'login.approve',
  'grant.read',
  'grant.end',
  'audit.read',
  'client.write',
] as const;
export type Permission = (typeof permissions)[number];

export const roles = ['ADMINISTRATOR', 'TECHNICIAN', 'AUDITOR'] as const;
export type Role = (typeof roles)[number];

/** The permissions of each role. */
export const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  ADMINISTRATOR: permissions,
  TECHNICIAN: ['tenant.read', 'device.read', 'settings.read', 'technician.read', 'login.approve', 'grant.read', 'grant.end'],
  AUDITOR: ['tenant.read', 'technician.read', 'device.read', 'settings.read', 'grant.read', 'audit.read'],
};
