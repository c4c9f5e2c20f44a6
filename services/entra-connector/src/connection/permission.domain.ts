/** An application permission of Microsoft Graph that Stint uses. */
export interface NeededPermission {
  name: string;
  /** For what, and what fails without it, in words for an administrator. */
  why: string;
  /** Broader ones that will do as well. */
  broader: readonly string[];
  /** False: everything but this works without it. */
  required: boolean;
}

/** All that Stint asks for, and why. The administrator's guide (docs/entra.md) has the same table. */
export const neededPermissions: readonly NeededPermission[] = [
  {
    name: 'User.ReadWrite.All',
    why: 'Makes, enables, disables and deletes JIT accounts, and ends their sessions. Without it no account can be made or taken away.',
    broader: ['Directory.ReadWrite.All'],
    required: true,
  },
  {
    name: 'User-PasswordProfile.ReadWrite.All',
    why: 'Sets passwords of JIT and break-glass accounts. Without it the password of an account cannot be replaced when its access ends.',
    broader: [],
    required: true,
  },
  {
    name: 'RoleManagement.ReadWrite.Directory',
    why: 'Gives roles, takes them away, and reads back that they are gone. Without it no access can be given.',
    broader: [],
    required: true,
  },
  {
    name: 'UserAuthenticationMethod.ReadWrite.All',
    why: "Issues and deletes Temporary Access Passes. Without it nobody gets past Microsoft's demand for a second factor.",
    broader: [],
    required: true,
  },
  {
    name: 'Policy.Read.AuthenticationMethod',
    why: 'Reads what the tenant allows of Temporary Access Passes. Without it a pass may be issued that does not open anything.',
    broader: ['Policy.Read.All', 'Policy.ReadWrite.AuthenticationMethod'],
    required: true,
  },
  {
    name: 'Domain.Read.All',
    why: 'Finds the domain on which accounts can be made. Without it an account may get a name that cannot sign in.',
    broader: ['Directory.Read.All', 'Directory.ReadWrite.All', 'Domain.ReadWrite.All'],
    required: true,
  },
  {
    name: 'Organization.Read.All',
    why: "Reads the tenant's name and whether its licences let roles end by themselves. Without it Stint ends every role itself.",
    broader: ['Directory.Read.All', 'Directory.ReadWrite.All', 'Organization.ReadWrite.All'],
    required: false,
  },
  {
    name: 'GroupMember.Read.All',
    why: 'Reads groups and their members for the user source. Without it technicians cannot come from this tenant.',
    broader: ['Group.Read.All', 'Group.ReadWrite.All', 'GroupMember.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
    required: false,
  },
];

/** Those that are missing among the granted. */
export function missingPermissions(granted: readonly string[]): NeededPermission[] {
  return neededPermissions.filter(({ name, broader }) => ![name, ...broader].some((one) => granted.includes(one)));
}

/** Granted ones that Stint does not use, or that a narrower one would do for. */
export function needlessPermissions(granted: readonly string[]): string[] {
  return granted.filter((one) => !neededPermissions.some(({ name }) => name === one));
}

/** A built-in directory role that the app's own service principal needs, by its template id. */
export interface NeededRole {
  name: string;
  why: string;
  anyOf: readonly string[];
  required: boolean;
}

const globalAdministrator = '62e90394-69f5-4237-9190-012177145e10';
const privilegedAuthenticationAdministrator = '7be44c8a-adaf-4e2a-84d6-ab2649e08a13';
const userAdministrator = 'fe930be7-5e62-47db-91af-98c3a49a38b1';

export const neededRoles: readonly NeededRole[] = [
  {
    name: 'User Administrator',
    why: 'Entra lets an application set a password only if it has this role. Without it the password of an account stays when its access ends.',
    anyOf: [userAdministrator, privilegedAuthenticationAdministrator, globalAdministrator],
    required: true,
  },
  {
    name: 'Privileged Authentication Administrator',
    why: 'Entra lets nobody else touch accounts that hold privileged roles. Only needed for break-glass accounts, and to disable or re-issue a pass to an account while it has such a role.',
    anyOf: [privilegedAuthenticationAdministrator, globalAdministrator],
    required: false,
  },
];

/** Those that are missing among the role definitions that the service principal holds in the whole tenant. */
export function missingRoles(heldRoleIds: readonly string[]): NeededRole[] {
  return neededRoles.filter(({ anyOf }) => !anyOf.some((one) => heldRoleIds.includes(one)));
}
