import type { UserRef } from './users.port.ts';

/** A directory role, built in or the customer's own. */
export interface RoleDefinition {
  /** Of built-in roles the same in every tenant. */
  id: string;
  displayName: string;
  description: string;
  builtIn: boolean;
  enabled: boolean;
}

/** A role that somebody has now. */
export interface RoleAssignment {
  id: string;
  principalId: string;
  roleDefinitionId: string;
  /** `/` for the whole tenant, `/administrativeUnits/{id}`, or `/{application's object id}`. */
  scope: string;
  /** DIRECT lasts until it is removed; SCHEDULED is kept by Privileged Identity Management and may end by itself. */
  kind: 'DIRECT' | 'SCHEDULED';
  /** When Entra ends it by itself; null: never. */
  endsAt: Date | null;
}

/** Why a role is given, or taken away: shown in the customer's audit log, where Privileged Identity Management does it. */
export interface RoleReason {
  justification: string;
  /** The ticket's number. */
  ticket: string | null;
}

export interface NewRoleAssignment extends RoleReason {
  principal: UserRef;
  roleDefinitionId: string;
  scope: string;
  /** Ends by itself so long after its start (at least 300), which needs the licence Entra ID P2; null: it stays until it is removed. */
  endsAfterSeconds: number | null;
}

/**
 * Directory roles. Permission `RoleManagement.ReadWrite.Directory`; for those that end by themselves
 * `RoleAssignmentSchedule.ReadWrite.Directory` as well.
 */
export interface RoleDirectory {
  /** Every role. `GET /roleManagement/directory/roleDefinitions`. */
  definitions(): Promise<RoleDefinition[]>;
  /**
   * The roles that a principal has now by itself, not by a group. `GET /roleManagement/directory/roleAssignments` and
   * `…/roleAssignmentScheduleInstances` by principal. What was changed a moment ago may be shown late.
   */
  of(principalId: string): Promise<RoleAssignment[]>;
  /** Everybody who has the role now. The same, by role. */
  holdersOf(roleDefinitionId: string): Promise<RoleAssignment[]>;
  /**
   * Gives a role. `POST /roleManagement/directory/roleAssignments`, or `…/roleAssignmentScheduleRequests` (adminAssign) for one that
   * ends by itself. Given is what `of` shows afterwards. ALREADY (it is there: read which, and until when); NOT_YET; NOT_FOUND (the
   * role or the scope); LICENCE_MISSING; POLICY; INVALID.
   */
  assign(assignment: NewRoleAssignment): Promise<void>;
  /** Moves the end of a SCHEDULED assignment. `POST …/roleAssignmentScheduleRequests` (adminUpdate). NOT_FOUND, POLICY. */
  changeEnd(assignment: RoleAssignment, endsAt: Date, why: RoleReason): Promise<void>;
  /**
   * Takes a role away. `DELETE …/roleAssignments/{id}`, or `POST …/roleAssignmentScheduleRequests` (adminRemove). One that is not there
   * is no error. TOO_SOON: a scheduled one was given less than five minutes ago. Gone is what `of` does not show afterwards.
   */
  remove(assignment: RoleAssignment, why: RoleReason): Promise<void>;
}
