import { randomUUID } from 'node:crypto';
import type {
  ExpirationPattern,
  UnifiedRoleAssignmentSchedule,
  UnifiedRoleAssignmentScheduleInstance,
  UnifiedRoleAssignmentScheduleRequest,
} from '@microsoft/microsoft-graph-types';
import { addSeconds } from '@stint/kernel';
import { badRequest, GraphError, resourceNotFound, type Answer } from '../http/answer.ts';
import { bodyOf, booleanOf, stringOf, type Call, type Route } from '../http/call.ts';
import { entity, list } from '../http/list.ts';
import type { RoleAssignmentState, RoleRequestState } from '../state/state.ts';
import { iso } from '../state/store.ts';
import { allows } from '../token/permissions.ts';
import { secondsOf } from './duration.ts';
import { removeAssignment, sameAssignment, seenAssignments, wantedAssignment } from './role-routes.ts';

const shortestSeconds = 300;

const refused = (code: string, message: string, status = 400) => new GraphError(status, code, message);

/** POST roleAssignmentScheduleRequests: Privileged Identity Management assigns for a time, prolongs, or takes away. */
function request(call: Call): Answer {
  const { store, tenant, app } = call;
  const body = bodyOf(call);
  if (tenant.licences !== 'P2') {
    throw refused('AadPremiumLicenseRequired', 'The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.');
  }
  const action = stringOf(body, 'action');
  const wanted = wantedAssignment(call, body, () => refused('SubjectNotFound', 'The subject is not found.', 404));
  const justification = stringOf(body, 'justification');
  const ticketInfo = objectOf(body, 'ticketInfo') ?? {};
  const ticket = { ticketNumber: stringOf(ticketInfo, 'ticketNumber'), ticketSystem: stringOf(ticketInfo, 'ticketSystem') };
  const current = sameAssignment(call, wanted);
  const times = timesOf(call, objectOf(body, 'scheduleInfo'), current);
  const validationOnly = booleanOf(body, 'isValidationOnly') ?? false;
  let schedule: RoleAssignmentState;
  if (action === 'adminAssign') {
    checkPolicy(call, times, justification, ticket);
    if (current !== undefined) throw refused('RoleAssignmentExists', 'The Role assignment already exists.');
    schedule = { id: randomUUID(), ...wanted, createdAt: store.nowIso(), ...times, scheduleId: randomUUID() };
    if (!validationOnly) {
      tenant.roleAssignments.push(schedule);
      store.unsettle(tenant, schedule.id, null);
    }
  } else if (action === 'adminUpdate' || action === 'adminExtend' || action === 'adminRenew') {
    if (current === undefined) throw refused('RoleAssignmentDoesNotExist', 'The Role assignment does not exist.');
    checkPolicy(call, times, justification, ticket);
    schedule = current;
    if (!validationOnly) current.endsAt = times.endsAt;
  } else if (action === 'adminRemove') {
    if (current === undefined) throw refused('RoleAssignmentDoesNotExist', 'The Role assignment does not exist.');
    if (addSeconds(new Date(current.startsAt), shortestSeconds) > store.now()) {
      throw refused('ActiveDurationTooShort', 'The role assignment has been active for less than the minimum of five minutes.');
    }
    checkRules(lacking(call, justification, ticket));
    schedule = current;
    if (!validationOnly) removeAssignment(call, current);
  } else {
    throw badRequest(`The action '${action ?? ''}' is not one that an application may request.`);
  }
  const made: RoleRequestState = {
    id: randomUUID(),
    action,
    ...wanted,
    justification,
    ...ticket,
    createdAt: store.nowIso(),
    startsAt: times.startsAt,
    endsAt: times.endsAt,
    targetScheduleId: schedule.scheduleId ?? schedule.id,
    appId: app.clientId,
  };
  if (!validationOnly) tenant.roleRequests.push(made);
  return entity(call, requests, presentRequest(made), null, 201);
}

function objectOf(body: Record<string, unknown>, property: string): Record<string, unknown> | null {
  const value = body[property] ?? null;
  if (value !== null && typeof value !== 'object') throw badRequest(`Invalid value specified for property '${property}'.`);
  return value as Record<string, unknown> | null;
}

/** From when to when. An assignment that runs keeps its start. */
function timesOf({ store }: Call, schedule: Record<string, unknown> | null, current: RoleAssignmentState | undefined) {
  const given = stringOf(schedule ?? {}, 'startDateTime');
  const now = store.now();
  const start =
    current === undefined ? new Date(Math.max(given === null ? 0 : Date.parse(given), now.getTime())) : new Date(current.startsAt);
  const expiration = objectOf(schedule ?? {}, 'expiration') ?? {};
  const type = (stringOf(expiration, 'type') ?? 'notSpecified').toLowerCase();
  const until = (end: Date) => ({ startsAt: iso(start), endsAt: iso(end) });
  if (type === 'afterduration') {
    const seconds = secondsOf(stringOf(expiration, 'duration') ?? '');
    if (seconds === null) throw badRequest('The duration is not valid.');
    return until(addSeconds(given === null ? now : start, seconds));
  }
  if (type === 'afterdatetime') {
    const end = Date.parse(stringOf(expiration, 'endDateTime') ?? '');
    if (Number.isNaN(end)) throw badRequest('The end date is not valid.');
    return until(new Date(end));
  }
  return { startsAt: iso(start), endsAt: null };
}

interface Ticket {
  ticketNumber: string | null;
}

function checkPolicy(call: Call, times: { startsAt: string; endsAt: string | null }, justification: string | null, ticket: Ticket): void {
  const { store, tenant } = call;
  const { maximumDurationSeconds } = tenant.pimPolicy;
  const length =
    times.endsAt === null
      ? Infinity
      : (new Date(times.endsAt).getTime() - Math.max(new Date(times.startsAt).getTime(), store.now().getTime())) / 1000;
  if (length < shortestSeconds)
    throw refused('ActiveDurationTooShort', 'The active duration is too short. It must be at least five minutes.');
  checkRules([
    ...(maximumDurationSeconds !== null && length > maximumDurationSeconds ? ['ExpirationRule'] : []),
    ...lacking(call, justification, ticket),
  ]);
}

/** The rules about reason and ticket that are broken. */
function lacking({ tenant: { pimPolicy: policy } }: Call, justification: string | null, { ticketNumber }: Ticket): string[] {
  return [
    ...(policy.justificationRequired && (justification ?? '') === '' ? ['JustificationRule'] : []),
    ...(policy.ticketRequired && (ticketNumber ?? '') === '' ? ['TicketingRule'] : []),
  ];
}

function checkRules(failed: string[]): void {
  if (failed.length > 0) {
    throw refused('RoleAssignmentRequestPolicyValidationFailed', `The following policy rules failed: ${JSON.stringify(failed)}`);
  }
}

function expirationOf(endsAt: string | null): ExpirationPattern {
  return endsAt === null
    ? { type: 'noExpiration', endDateTime: null, duration: null }
    : { type: 'afterDateTime', endDateTime: endsAt, duration: null };
}

function presentRequest(made: RoleRequestState): UnifiedRoleAssignmentScheduleRequest {
  return {
    id: made.id,
    status: made.action === 'adminRemove' ? 'Revoked' : 'Provisioned',
    createdDateTime: made.createdAt,
    completedDateTime: made.createdAt,
    approvalId: null,
    customData: null,
    action: made.action as NonNullable<UnifiedRoleAssignmentScheduleRequest['action']>,
    principalId: made.principalId,
    roleDefinitionId: made.roleDefinitionId,
    directoryScopeId: made.directoryScopeId,
    appScopeId: null,
    isValidationOnly: false,
    targetScheduleId: made.targetScheduleId,
    justification: made.justification,
    createdBy: { application: { id: made.appId, displayName: null }, device: null, user: null },
    scheduleInfo: { startDateTime: made.startsAt, recurrence: null, expiration: expirationOf(made.endsAt) },
    ticketInfo: { ticketNumber: made.ticketNumber, ticketSystem: made.ticketSystem },
  };
}

function presentSchedule(one: RoleAssignmentState): UnifiedRoleAssignmentSchedule {
  return {
    id: one.scheduleId ?? one.id,
    principalId: one.principalId,
    roleDefinitionId: one.roleDefinitionId,
    directoryScopeId: one.directoryScopeId,
    appScopeId: null,
    createdUsing: one.scheduleId,
    createdDateTime: one.createdAt,
    modifiedDateTime: null,
    status: 'Provisioned',
    assignmentType: 'Assigned',
    memberType: 'Direct',
    scheduleInfo: { startDateTime: one.startsAt, recurrence: null, expiration: expirationOf(one.endsAt) },
  };
}

function presentInstance(one: RoleAssignmentState): UnifiedRoleAssignmentScheduleInstance {
  return {
    id: one.id,
    principalId: one.principalId,
    roleDefinitionId: one.roleDefinitionId,
    directoryScopeId: one.directoryScopeId,
    appScopeId: null,
    startDateTime: one.startsAt,
    endDateTime: one.endsAt,
    assignmentType: 'Assigned',
    memberType: 'Direct',
    roleAssignmentOriginId: one.id,
    roleAssignmentScheduleId: one.scheduleId ?? one.id,
  };
}

const requests = 'roleManagement/directory/roleAssignmentScheduleRequests';
const schedules = 'roleManagement/directory/roleAssignmentSchedules';
const instances = 'roleManagement/directory/roleAssignmentScheduleInstances';
const filterable = [
  'id',
  'principalId',
  'roleDefinitionId',
  'directoryScopeId',
  'status',
  'action',
  'targetScheduleId',
  'endDateTime',
  'assignmentType',
];

/** Schedules that have not ended, those of the future included. */
function standing({ store, tenant }: Call): RoleAssignmentState[] {
  return tenant.roleAssignments.filter(({ endsAt }) => endsAt === null || new Date(endsAt) > store.now());
}

export const scheduleRoutes: readonly Route[] = [
  { method: 'POST', pattern: `/${requests}`, permissions: allows.writeSchedules, handle: request },
  {
    method: 'GET',
    pattern: `/${requests}`,
    permissions: allows.readSchedules,
    handle: (call) => list(call, call.tenant.roleRequests, { context: requests, present: presentRequest, filterable, maximumTop: 999 }),
  },
  {
    method: 'GET',
    pattern: `/${requests}/{id}`,
    permissions: allows.readSchedules,
    handle: (call) => {
      const found = call.tenant.roleRequests.find(({ id }) => id === call.params['id']);
      if (found === undefined) throw resourceNotFound(call.params['id'] ?? '');
      return entity(call, requests, presentRequest(found));
    },
  },
  {
    method: 'GET',
    pattern: `/${schedules}`,
    permissions: allows.readSchedules,
    handle: (call) => list(call, standing(call), { context: schedules, present: presentSchedule, filterable, maximumTop: 999 }),
  },
  {
    method: 'GET',
    pattern: `/${instances}`,
    permissions: allows.readSchedules,
    handle: (call) => list(call, seenAssignments(call), { context: instances, present: presentInstance, filterable, maximumTop: 999 }),
  },
];
