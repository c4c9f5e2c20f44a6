import { createHash } from 'node:crypto';
import type { DirectoryGroup } from '../graph/groups.port.ts';
import type { RoleAssignment, RoleDefinition } from '../graph/roles.port.ts';
import type { DirectoryDomain } from '../graph/tenant-facts.port.ts';
import type { DirectoryUser } from '../graph/users.port.ts';
import { mostAccounts } from './break-glass.domain.ts';

/** What Entra and Stint know of an account that may become a break-glass account. */
export interface Known {
  /** The Entra tenant that was looked into. */
  entraTenantId: string;
  user: DirectoryUser;
  roles: readonly RoleAssignment[];
  definitions: readonly RoleDefinition[];
  groups: readonly DirectoryGroup[];
  domains: readonly DirectoryDomain[];
  /** Made by Stint for a technician. */
  isOurs: boolean;
  /** A grant gives it access, or is being taken back. */
  hasGrants: boolean;
  isRegistered: boolean;
  /** How many break-glass accounts the tenant has already. */
  registered: number;
}

/** An account as it is shown before somebody says yes. */
export interface Finding {
  entraTenantId: string;
  objectId: string;
  userPrincipalName: string;
  displayName: string;
  enabled: boolean;
  /** Names of its roles, with their scope where that is not the whole tenant. */
  roles: string[];
  /** Names of its groups. */
  groups: string[];
  passwordChangedAt: Date | null;
  /** Its password is changed on premises. */
  synced: boolean;
  /** Its password is checked by somebody else than Entra. */
  federated: boolean;
  guest: boolean;
  ours: boolean;
  /** Why it cannot be registered; empty when it can. */
  obstacles: string[];
  /** Of all the above: the yes is to this. */
  digest: string;
}

export function findingOf(known: Known): Finding {
  const { user, groups, definitions } = known;
  const nameOf = new Map(definitions.map(({ id, displayName }) => [id, displayName]));
  const shown = {
    entraTenantId: known.entraTenantId,
    ...{ objectId: user.id, userPrincipalName: user.userPrincipalName, displayName: user.displayName, enabled: user.enabled },
    roles: known.roles
      .map(({ roleDefinitionId, scope }) => `${nameOf.get(roleDefinitionId) ?? roleDefinitionId}${scope === '/' ? '' : ` (${scope})`}`)
      .toSorted(),
    groups: groups.map(({ displayName }) => displayName).toSorted(),
    ...{ passwordChangedAt: user.lastPasswordChangeAt, synced: user.onPremisesSync, federated: isFederated(known) },
    ...{ guest: user.userType === 'GUEST', ours: known.isOurs },
  };
  const withObstacles = { ...shown, obstacles: obstaclesOf(known) };
  return { ...withObstacles, digest: createHash('sha256').update(JSON.stringify(withObstacles)).digest('hex') };
}

function obstaclesOf(known: Known): string[] {
  const { user } = known;
  const obstacles: [boolean, string][] = [
    [known.isRegistered, 'It is one of the break-glass accounts already.'],
    [
      known.registered >= mostAccounts,
      `This tenant has ${mostAccounts} break-glass accounts, and more are not kept. Remove one first: what is seldom tried does not work when it must.`,
    ],
    [user.onPremisesSync, 'It comes from an on-premises Active Directory, where its password is changed. Make a cloud-only account.'],
    [
      isFederated(known),
      'Its domain is federated: its password is not checked by Entra, and fails with the other side. Make one in the onmicrosoft.com domain.',
    ],
    [user.userType === 'GUEST', 'It is a guest: its password is in another tenant.'],
    [known.isOurs, 'Stint made it for a technician and takes it away again.'],
    [known.hasGrants, 'A grant gives it access at the moment. End that first.'],
  ];
  return obstacles.filter(([applies]) => applies).map(([, why]) => why);
}

function isFederated({ user, domains }: Known): boolean {
  const name = user.userPrincipalName.slice(user.userPrincipalName.lastIndexOf('@') + 1).toLowerCase();
  return domains.some((domain) => domain.name.toLowerCase() === name && !domain.managed);
}
