import type { Domain, Organization, SubscribedSku } from '@microsoft/microsoft-graph-types';
import { decodeJwt } from 'jose';
import { z } from 'zod';
import { DirectoryError } from './directory-error.ts';
import type { GraphCaller, GraphTransport } from './graph.transport.ts';
import { required } from './graph.values.ts';
import type { RoleAssignment, RoleDirectory } from './roles.port.ts';
import type { DirectoryDomain, OwnIdentity, TenantFacts } from './tenant-facts.port.ts';

const claims = z.object({ oid: z.string(), tid: z.string(), roles: z.array(z.string()).default([]) });
/** Service plans with Privileged Identity Management ("Product names and service plan identifiers for licensing"). */
const plansWithSchedules = ['aad_premium_p2', 'entra_identity_governance'];

/** Facts about a tenant, by Graph; about ourselves, by our own token. */
export class GraphTenantFacts implements TenantFacts {
  readonly #graph: GraphTransport;
  readonly #caller: GraphCaller;
  readonly #roles: RoleDirectory;

  constructor(graph: GraphTransport, caller: GraphCaller, roles: RoleDirectory) {
    this.#graph = graph;
    this.#caller = caller;
    this.#roles = roles;
  }

  async identity(): Promise<OwnIdentity> {
    // Reading our own service principal would need another permission; the token says the same.
    const token = await this.#graph.freshToken(this.#caller);
    const { oid, tid, roles } = readClaims(token);
    return { servicePrincipalId: oid, entraTenantId: tid, permissions: roles };
  }

  async ownRoles(): Promise<RoleAssignment[]> {
    const { servicePrincipalId } = await this.identity();
    return this.#roles.of(servicePrincipalId);
  }

  async displayName(): Promise<string> {
    const [organization] = await this.#graph.all<Organization>(this.#caller, {
      ...{ method: 'GET', path: '/organization?$select=id,displayName', purpose: 'read the name of the tenant' },
      permissions: ['Organization.Read.All'],
    });
    return organization?.displayName ?? '';
  }

  async domains(): Promise<DirectoryDomain[]> {
    const found = await this.#graph.all<Domain>(this.#caller, {
      ...{ method: 'GET', path: '/domains?$select=id,authenticationType,isInitial,isDefault,isVerified', purpose: 'read the domains' },
      permissions: ['Domain.Read.All'],
    });
    return found
      .filter(({ isVerified }) => isVerified === true)
      .map(({ id, authenticationType, isInitial, isDefault }) => ({
        ...{ name: required(id, 'id'), managed: authenticationType === 'Managed' },
        ...{ initial: isInitial ?? false, default: isDefault ?? false },
      }));
  }

  async rolesCanEnd(): Promise<boolean> {
    const skus = await this.#graph.all<SubscribedSku>(this.#caller, {
      ...{ method: 'GET', path: '/subscribedSkus?$select=id,capabilityStatus,servicePlans', purpose: 'read the licences' },
      permissions: ['Organization.Read.All'],
    });
    return skus
      .filter(({ capabilityStatus }) => capabilityStatus === 'Enabled' || capabilityStatus === 'Warning')
      .flatMap(({ servicePlans }) => servicePlans ?? [])
      .some(
        ({ servicePlanName, provisioningStatus }) =>
          provisioningStatus !== 'Disabled' && plansWithSchedules.includes(servicePlanName?.toLowerCase() ?? ''),
      );
  }
}

function readClaims(token: string): z.infer<typeof claims> {
  try {
    return claims.parse(decodeJwt(token));
  } catch {
    throw new DirectoryError({ kind: 'UNAVAILABLE', message: "Microsoft's token does not tell who Stint is in the tenant." });
  }
}
