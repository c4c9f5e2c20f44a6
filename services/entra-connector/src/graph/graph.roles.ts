import type {
  UnifiedRoleAssignment,
  UnifiedRoleAssignmentScheduleInstance,
  UnifiedRoleAssignmentScheduleRequest,
  UnifiedRoleDefinition,
} from '@microsoft/microsoft-graph-types';
import { DirectoryError, isDirectoryError } from './directory-error.ts';
import type { GraphCall, GraphCaller, GraphTransport } from './graph.transport.ts';
import { nullWhereNotFound } from './graph.users.ts';
import { dateOf, quoted, required } from './graph.values.ts';
import type { NewRoleAssignment, RoleAssignment, RoleDefinition, RoleDirectory, RoleReason } from './roles.port.ts';

const root = '/roleManagement/directory';
const reading = {
  method: 'GET',
  purpose: 'read roles',
  permissions: ['RoleManagement.ReadWrite.Directory', 'RoleManagement.Read.Directory'],
} as const;
const scheduling = ['RoleAssignmentSchedule.ReadWrite.Directory', 'RoleManagement.ReadWrite.Directory'];
/** What the customer's audit log shows as the system of a ticket. */
const ticketSystem = 'Stint';

/** Directory roles, by Graph. */
export class GraphRoles implements RoleDirectory {
  readonly #graph: GraphTransport;
  readonly #caller: GraphCaller;

  constructor(graph: GraphTransport, caller: GraphCaller) {
    this.#graph = graph;
    this.#caller = caller;
  }

  async definitions(): Promise<RoleDefinition[]> {
    const path = `${root}/roleDefinitions?$select=id,displayName,description,isBuiltIn,isEnabled`;
    const found = await this.#graph.all<UnifiedRoleDefinition>(this.#caller, { ...reading, path });
    return found.map((role) => ({
      id: required(role.id, 'id'),
      displayName: role.displayName ?? '',
      description: role.description ?? '',
      builtIn: role.isBuiltIn ?? false,
      enabled: role.isEnabled ?? true,
    }));
  }

  async of(principalId: string): Promise<RoleAssignment[]> {
    return this.#assignments(`principalId eq ${quoted(principalId)}`);
  }

  async holdersOf(roleDefinitionId: string): Promise<RoleAssignment[]> {
    return this.#assignments(`roleDefinitionId eq ${quoted(roleDefinitionId)}`);
  }

  async assign(assignment: NewRoleAssignment): Promise<void> {
    const { principal, roleDefinitionId, scope, endsAfterSeconds } = assignment;
    const who = { principalId: principal.id, roleDefinitionId, directoryScopeId: scope };
    if (endsAfterSeconds === null) {
      const body: UnifiedRoleAssignment = who;
      await this.#graph.call(this.#caller, {
        ...{ method: 'POST', path: `${root}/roleAssignments`, body, user: principal },
        ...{ purpose: 'give the role', permissions: ['RoleManagement.ReadWrite.Directory'] },
      });
      return;
    }
    await this.#request(
      {
        ...{ action: 'adminAssign', ...who, ...shown(assignment) },
        scheduleInfo: { expiration: { type: 'afterDuration', duration: `PT${endsAfterSeconds}S` } },
      },
      { purpose: 'give the role', user: principal },
    );
  }

  async changeEnd(assignment: RoleAssignment, endsAt: Date, why: RoleReason): Promise<void> {
    await this.#request(
      {
        ...{ action: 'adminUpdate', ...subjectOf(assignment), ...shown(why) },
        scheduleInfo: { expiration: { type: 'afterDateTime', endDateTime: endsAt.toISOString() } },
      },
      { purpose: 'change the end of the role' },
    );
  }

  async remove(assignment: RoleAssignment, why: RoleReason): Promise<void> {
    const purpose = 'take the role away';
    if (assignment.kind === 'SCHEDULED') {
      await this.#request({ action: 'adminRemove', ...subjectOf(assignment), ...shown(why) }, { purpose, repeatable: true }).catch(
        nullWhereNotFound,
      );
      return;
    }
    await this.#graph
      .call(this.#caller, {
        ...{ method: 'DELETE', path: `${root}/roleAssignments/${encodeURIComponent(assignment.id)}`, purpose },
        permissions: ['RoleManagement.ReadWrite.Directory'],
      })
      .catch(nullWhereNotFound);
  }

  async #request(body: UnifiedRoleAssignmentScheduleRequest, more: Pick<GraphCall, 'purpose' | 'user' | 'repeatable'>): Promise<void> {
    const answer = await this.#graph.call<UnifiedRoleAssignmentScheduleRequest>(this.#caller, {
      ...{ method: 'POST', path: `${root}/roleAssignmentScheduleRequests`, body, permissions: scheduling, ...more },
    });
    const { status } = answer;
    if (
      status !== undefined &&
      status !== null &&
      /^(Pending(Approval|AdminDecision|ApprovalProvisioning)|.*Denied|Failed.*|Invalid|Canceled)$/.test(status)
    ) {
      const message = `Privileged Identity Management did not do it at once, but says ${status}. Look at the role's settings there.`;
      throw new DirectoryError({ kind: 'POLICY', message, mayHaveHappened: true });
    }
  }

  /** Both lists, since either alone can miss one: what ends by itself shows its end in the second only. */
  async #assignments(filter: string): Promise<RoleAssignment[]> {
    const query = `$filter=${encodeURIComponent(filter)}&$select=id,principalId,roleDefinitionId,directoryScopeId`;
    const calls = [`${root}/roleAssignments?${query}`, `${root}/roleAssignmentScheduleInstances?${query},endDateTime`].map((path) => ({
      ...reading,
      path,
    }));
    const [assignments, instances] = await this.#graph.readTogether(this.#caller, calls);
    const direct = await this.#items<UnifiedRoleAssignment>(assignments);
    // Without the licence nothing ends by itself.
    const ending = isDirectoryError(instances, 'LICENCE_MISSING')
      ? []
      : (await this.#items<UnifiedRoleAssignmentScheduleInstance>(instances)).filter(({ endDateTime }) => dateOf(endDateTime) !== null);
    const scheduled = ending.map((one) => asAssignment(one, 'SCHEDULED', dateOf(one.endDateTime)));
    const others = direct.map((one) => asAssignment(one, 'DIRECT', null)).filter((one) => !scheduled.some((other) => same(one, other)));
    return [...scheduled, ...others];
  }

  /** The items of a list that came in a batch, with those of its further pages. */
  async #items<Item>(answer: unknown): Promise<Item[]> {
    if (answer instanceof DirectoryError) throw answer;
    const { value = [], '@odata.nextLink': link } = answer as { value?: Item[]; '@odata.nextLink'?: string };
    if (link === undefined) return value;
    return [...value, ...(await this.#graph.all<Item>(this.#caller, { ...reading, path: this.#graph.below(this.#caller, link) }))];
  }
}

function subjectOf({ principalId, roleDefinitionId, scope }: RoleAssignment) {
  return { principalId, roleDefinitionId, directoryScopeId: scope };
}

/** The tenant's policy may demand either. */
function shown({ justification, ticket }: RoleReason): Pick<UnifiedRoleAssignmentScheduleRequest, 'justification' | 'ticketInfo'> {
  return { justification, ...(ticket === null ? {} : { ticketInfo: { ticketNumber: ticket, ticketSystem } }) };
}

function same(one: RoleAssignment, other: RoleAssignment): boolean {
  return one.principalId === other.principalId && one.roleDefinitionId === other.roleDefinitionId && one.scope === other.scope;
}

function asAssignment(
  one: Pick<UnifiedRoleAssignment, 'id' | 'principalId' | 'roleDefinitionId' | 'directoryScopeId'>,
  kind: RoleAssignment['kind'],
  endsAt: Date | null,
): RoleAssignment {
  return {
    ...{ id: required(one.id, 'id'), principalId: required(one.principalId, 'principalId'), kind, endsAt },
    ...{ roleDefinitionId: required(one.roleDefinitionId, 'roleDefinitionId'), scope: one.directoryScopeId ?? '/' },
  };
}
