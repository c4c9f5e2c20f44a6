import type { CredentialFault, DirectoryError } from '../graph/directory-error.ts';
import type { RoleAssignment } from '../graph/roles.port.ts';
import type { DirectoryDomain, OwnIdentity } from '../graph/tenant-facts.port.ts';
import type { PassPolicy } from '../graph/passes.port.ts';
import { missingPermissions, missingRoles, needlessPermissions } from './permission.domain.ts';

/** What a verification can find. The first ones are why there is no token at all. */
export const problemCodes = [
  'SECRET_WRONG',
  'SECRET_EXPIRED',
  'CERTIFICATE_UNKNOWN',
  'CERTIFICATE_EXPIRED',
  'TENANT_UNKNOWN',
  'WRONG_TENANT',
  'APP_UNKNOWN',
  'APP_DISABLED',
  'CONSENT_MISSING',
  'SIGN_IN_BLOCKED',
  'REFUSED',
  'NO_CREDENTIAL',
  'UNREACHABLE',
  'PERMISSION_MISSING',
  'PERMISSION_NEEDLESS',
  'DIRECTORY_ROLE_MISSING',
  'NO_MANAGED_DOMAIN',
  'PASS_POLICY_OFF',
  'PASS_POLICY_NARROW',
  'LICENCE_MISSING',
  'CREDENTIAL_EXPIRING',
  'ACCOUNTS_LEFT_BEHIND',
  'BREAK_GLASS_UNATTENDED',
  'USER_SOURCE_UNATTENDED',
  'UNREADABLE',
] as const;
export type ProblemCode = (typeof problemCodes)[number];

/** One thing that is not as it should be. */
export interface ConnectionProblem {
  code: ProblemCode;
  /** True: no access can be given. */
  blocking: boolean;
  /** What is wrong and what follows from it. */
  message: string;
  /** What to do about it. */
  nextStep: string;
  /** The permission, directory role, credential or accounts that it is about; null otherwise. */
  about: string | null;
}

/** What is known of the Entra tenant. */
export interface TenantKnowledge {
  displayName: string | null;
  domains: DirectoryDomain[];
  /** Null: not readable. */
  rolesCanEnd: boolean | null;
  passes: 'EVERYBODY' | 'SOME' | 'NOBODY' | null;
  permissions: string[];
}

/** What was read; an error in its place where it could not be. */
export interface Readings {
  identity: OwnIdentity;
  ownRoles: RoleAssignment[] | DirectoryError;
  displayName: string | DirectoryError;
  domains: DirectoryDomain[] | DirectoryError;
  rolesCanEnd: boolean | DirectoryError;
  passPolicy: PassPolicy | DirectoryError;
}

/** The problem of a connection for which there is no token, or of one that nobody could ask. */
export function credentialProblem(error: DirectoryError): ConnectionProblem {
  if (error.credential === null) {
    return {
      ...{ code: 'UNREACHABLE', blocking: false, about: null, message: `Microsoft could not be asked: ${error.message}` },
      nextStep: 'Nothing to do if this passes. Otherwise check that Stint reaches the addresses of Microsoft, and the service health page.',
    };
  }
  const code = error.credential === 'NOT_CONNECTED' ? 'NO_CREDENTIAL' : error.credential;
  const number = error.code === null ? '' : ` (${error.code})`;
  return { code, blocking: true, about: null, message: `${credentialWords[error.credential]}${number}`, nextStep: error.message };
}

const credentialWords: Record<CredentialFault, string> = {
  NOT_CONNECTED: 'There is neither a certificate nor a secret yet.',
  SECRET_WRONG: 'The client secret is wrong.',
  SECRET_EXPIRED: 'The client secret has expired.',
  CERTIFICATE_UNKNOWN: 'The certificate is not (any more) in the app registration.',
  CERTIFICATE_EXPIRED: 'The certificate has expired.',
  TENANT_UNKNOWN: 'There is no such Entra tenant.',
  WRONG_TENANT: 'The credentials belong to another Entra tenant.',
  APP_UNKNOWN: 'The Entra tenant does not know the application.',
  APP_DISABLED: 'The application is disabled.',
  CONSENT_MISSING: 'Consent is missing.',
  SIGN_IN_BLOCKED: 'A policy of the Entra tenant blocks the sign-in of the application.',
  REFUSED: 'Entra refuses the sign-in of the application.',
};

/** What is wrong with a connection whose token came, worst first. */
export function findProblems(readings: Readings): ConnectionProblem[] {
  const { identity, ownRoles, domains, passPolicy, rolesCanEnd } = readings;
  const problems = [
    ...missingPermissions(identity.permissions).map(({ name, why, required }): ConnectionProblem => ({
      ...{ code: 'PERMISSION_MISSING', blocking: required, about: name, message: why },
      nextStep: `Add the application permission ${name} (Microsoft Graph) to the app registration, and let an administrator consent again.`,
    })),
    ...rolesProblems(ownRoles),
    ...domainProblems(domains),
    ...passProblems(passPolicy),
    ...licenceProblems(rolesCanEnd),
    ...needlessPermissions(identity.permissions).map((name): ConnectionProblem => ({
      ...{ code: 'PERMISSION_NEEDLESS', blocking: false, about: name, message: 'Stint does not need this permission.' },
      nextStep: `Remove ${name} from the app registration: what is not granted cannot be misused.`,
    })),
  ];
  return [...problems.filter(({ blocking }) => blocking), ...problems.filter(({ blocking }) => !blocking)];
}

/** What is known of the tenant, from what could be read. */
export function knowledgeOf({ identity, displayName, domains, rolesCanEnd, passPolicy }: Readings): TenantKnowledge {
  return {
    displayName: typeof displayName === 'string' ? displayName : null,
    domains: Array.isArray(domains) ? domains : [],
    rolesCanEnd: typeof rolesCanEnd === 'boolean' ? rolesCanEnd : null,
    passes: passPolicy instanceof Error ? null : !passPolicy.enabled ? 'NOBODY' : narrow(passPolicy) ? 'SOME' : 'EVERYBODY',
    permissions: identity.permissions.toSorted(),
  };
}

function rolesProblems(ownRoles: Readings['ownRoles']): ConnectionProblem[] {
  if (ownRoles instanceof Error) return unreadable(ownRoles, 'the directory roles of the application');
  const held = ownRoles.filter(({ scope }) => scope === '/').map(({ roleDefinitionId }) => roleDefinitionId);
  return missingRoles(held).map(({ name, why, required }) => ({
    ...{ code: 'DIRECTORY_ROLE_MISSING', blocking: required, about: name, message: why },
    nextStep: `Assign the directory role ${name} to the application: Entra admin center, "Roles & admins", the role, "Add assignments".`,
  }));
}

function domainProblems(domains: Readings['domains']): ConnectionProblem[] {
  if (domains instanceof Error) return unreadable(domains, 'the domains of the tenant');
  if (domains.some(({ managed }) => managed)) return [];
  return [
    {
      ...{ code: 'NO_MANAGED_DOMAIN', blocking: true, about: null },
      message: 'Every domain of the tenant is federated: Stint can make no account whose sign-in Entra itself checks.',
      nextStep: 'Keep one managed domain in the tenant; the one that ends with onmicrosoft.com is managed unless somebody changed it.',
    },
  ];
}

function passProblems(policy: Readings['passPolicy']): ConnectionProblem[] {
  if (policy instanceof Error) return unreadable(policy, 'the policy for Temporary Access Passes');
  if (!policy.enabled) {
    return [
      {
        ...{ code: 'PASS_POLICY_OFF', blocking: false, about: null },
        message: "The tenant allows no Temporary Access Pass. JIT accounts get a password, with which Microsoft's portals let nobody in.",
        nextStep: 'Enable "Temporary Access Pass" under "Authentication methods", "Policies", for all users.',
      },
    ];
  }
  if (!narrow(policy)) return [];
  return [
    {
      ...{ code: 'PASS_POLICY_NARROW', blocking: false, about: null },
      message: 'The tenant allows Temporary Access Passes to some groups only. A pass of a JIT account outside of them opens nothing.',
      nextStep: 'Include "All users" in the policy "Temporary Access Pass", without exclusions that could hold JIT accounts.',
    },
  ];
}

function narrow({ groupIds, excludedGroupIds }: PassPolicy): boolean {
  return groupIds !== null || excludedGroupIds.length > 0;
}

function licenceProblems(rolesCanEnd: Readings['rolesCanEnd']): ConnectionProblem[] {
  // Without Organization.Read.All, which has its own line.
  if (rolesCanEnd !== false) return [];
  return [
    {
      ...{ code: 'LICENCE_MISSING', blocking: false, about: null },
      message: 'Without Entra ID P2 roles do not end by themselves. Stint ends them, as long as it runs and reaches the tenant.',
      nextStep: 'Nothing to do. With Entra ID P2 or Entra ID Governance in the tenant roles end even if Stint is away.',
    },
  ];
}

/** What a missing permission explains has its own line already; the rest is told. */
function unreadable(error: DirectoryError, what: string): ConnectionProblem[] {
  if (error.kind === 'FORBIDDEN') return [];
  if (error.kind === 'THROTTLED' || error.kind === 'UNAVAILABLE') return [credentialProblem(error)];
  return [
    {
      ...{ code: 'UNREADABLE', blocking: true, about: null, message: `Stint cannot read ${what}.` },
      nextStep: error.message,
    },
  ];
}
