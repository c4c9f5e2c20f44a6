import type { Clock } from '@stint/kernel';
import type { EntraDirectory } from './directory.port.ts';
import { GraphGroups } from './graph.groups.ts';
import { GraphPasses } from './graph.passes.ts';
import { GraphRoles } from './graph.roles.ts';
import { GraphTenantFacts } from './graph.tenant-facts.ts';
import type { GraphCaller, GraphTransport } from './graph.transport.ts';
import { GraphUsers } from './graph.users.ts';

/** The Entra tenant of the caller, by Microsoft Graph v1.0. */
export function graphDirectory(graph: GraphTransport, caller: GraphCaller, clock: Clock): EntraDirectory {
  const roles = new GraphRoles(graph, caller);
  return {
    entraTenantId: caller.entraTenantId,
    users: new GraphUsers(graph, caller, clock),
    roles,
    passes: new GraphPasses(graph, caller),
    groups: new GraphGroups(graph, caller),
    tenant: new GraphTenantFacts(graph, caller, roles),
  };
}
