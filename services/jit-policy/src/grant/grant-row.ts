import type { Id } from '@stint/kernel';
import type { ApprovalProof, EntraAccountKind } from '@stint/contracts';
import type { Grant, GrantEndReason, GrantState, Person, PrivilegedChange } from './grant.domain.ts';
import type { GrantTarget } from './grant-target.domain.ts';

/** A row of `jit_grant`: what is of the other kind of target is null. */
export interface GrantRow {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  technician_id: Id;
  target: GrantTarget['kind'];
  login_request_id: Id | null;
  device_id: Id | null;
  account_id: Id | null;
  account_name: string | null;
  state: GrantState;
  reason: string | null;
  ticket: string | null;
  session_seconds: number;
  approval_proof: ApprovalProof | null;
  rule_id: Id | null;
  rule_name: string | null;
  max_seconds: number;
  rule_max_seconds: number;
  idle_end_seconds: number | null;
  remove_new_privileged: boolean | null;
  entra_role: string | null;
  entra_scope: string | null;
  entra_account_kind: EntraAccountKind | null;
  entra_recipient_key: string | null;
  entra_version: number | null;
  approved_at: Date;
  activate_by: Date;
  active_at: Date | null;
  expires_at: Date | null;
  ending_at: Date | null;
  end_revision: number | null;
  ended_at: Date | null;
  end_reason: GrantEndReason | null;
  ended_by: Person | string | null;
  privileged_changes: PrivilegedChange[] | string;
  failure: string | null;
  nudge_at: Date | null;
}

export const names = [
  'msp_id',
  'tenant_id',
  'id',
  'technician_id',
  'target',
  'login_request_id',
  'device_id',
  'account_id',
  'account_name',
  'state',
  'reason',
  'ticket',
  'session_seconds',
  'approval_proof',
  'rule_id',
  'rule_name',
  'max_seconds',
  'rule_max_seconds',
  'idle_end_seconds',
  'remove_new_privileged',
  'entra_role',
  'entra_scope',
  'entra_account_kind',
  'entra_recipient_key',
  'entra_version',
  'approved_at',
  'activate_by',
  'active_at',
  'expires_at',
  'ending_at',
  'end_revision',
  'ended_at',
  'end_reason',
  'ended_by',
  'privileged_changes',
  'failure',
  'nudge_at',
] as const satisfies readonly (keyof GrantRow)[];
export const columns = names.join(', ');
export const columnsOfG = names.map((name) => `g.${name}`).join(', ');
/** Not over. */
export const open = `state in ('APPROVED', 'ACTIVE', 'ENDING', 'END_STUCK')`;

export function asGrant(row: GrantRow): Grant {
  return {
    mspId: row.msp_id,
    tenantId: row.tenant_id,
    id: row.id,
    technicianId: row.technician_id,
    target: targetOf(row),
    state: row.state,
    reason: row.reason,
    ticket: row.ticket,
    sessionSeconds: row.session_seconds,
    approval: row.approval_proof,
    ruleId: row.rule_id,
    ruleName: row.rule_name,
    maxSeconds: row.max_seconds,
    ruleMaxSeconds: row.rule_max_seconds,
    approvedAt: row.approved_at,
    activateBy: row.activate_by,
    activeAt: row.active_at,
    expiresAt: row.expires_at,
    endingAt: row.ending_at,
    endRevision: row.end_revision,
    endedAt: row.ended_at,
    endReason: row.end_reason,
    endedBy: row.ended_by as Person | null,
    privilegedChanges: row.privileged_changes as PrivilegedChange[],
    failure: row.failure,
    nudgeAt: row.nudge_at,
  };
}

export function asRow(grant: Grant): GrantRow {
  return {
    msp_id: grant.mspId,
    tenant_id: grant.tenantId,
    id: grant.id,
    technician_id: grant.technicianId,
    ...targetColumns(grant.target),
    state: grant.state,
    reason: grant.reason,
    ticket: grant.ticket,
    session_seconds: grant.sessionSeconds,
    approval_proof: grant.approval,
    rule_id: grant.ruleId,
    rule_name: grant.ruleName,
    max_seconds: grant.maxSeconds,
    rule_max_seconds: grant.ruleMaxSeconds,
    approved_at: grant.approvedAt,
    activate_by: grant.activateBy,
    active_at: grant.activeAt,
    expires_at: grant.expiresAt,
    ending_at: grant.endingAt,
    end_revision: grant.endRevision,
    ended_at: grant.endedAt,
    end_reason: grant.endReason,
    ended_by: grant.endedBy === null ? null : JSON.stringify(grant.endedBy),
    privileged_changes: JSON.stringify(grant.privilegedChanges),
    failure: grant.failure,
    nudge_at: grant.nudgeAt,
  };
}

function targetOf(row: GrantRow): GrantTarget {
  if (row.target === 'ENTRA')
    return {
      kind: 'ENTRA',
      roleName: there(row.entra_role),
      scope: there(row.entra_scope),
      accountKind: there(row.entra_account_kind),
      recipientKey: there(row.entra_recipient_key),
      accountName: row.account_name,
      version: there(row.entra_version),
    };
  return {
    kind: 'DEVICE',
    deviceId: there(row.device_id),
    loginRequestId: there(row.login_request_id),
    accountId: there(row.account_id),
    accountName: there(row.account_name),
    idleEndSeconds: there(row.idle_end_seconds),
    removeNewPrivileged: there(row.remove_new_privileged),
  };
}

type TargetColumn =
  | 'target'
  | 'login_request_id'
  | 'device_id'
  | 'account_id'
  | 'account_name'
  | 'idle_end_seconds'
  | 'remove_new_privileged'
  | 'entra_role'
  | 'entra_scope'
  | 'entra_account_kind'
  | 'entra_recipient_key'
  | 'entra_version';

function targetColumns(target: GrantTarget): Pick<GrantRow, TargetColumn> {
  const onDevice = target.kind === 'DEVICE' ? target : null;
  const inEntra = target.kind === 'ENTRA' ? target : null;
  return {
    target: target.kind,
    login_request_id: onDevice?.loginRequestId ?? null,
    device_id: onDevice?.deviceId ?? null,
    account_id: onDevice?.accountId ?? null,
    account_name: target.accountName,
    idle_end_seconds: onDevice?.idleEndSeconds ?? null,
    remove_new_privileged: onDevice?.removeNewPrivileged ?? null,
    entra_role: inEntra?.roleName ?? null,
    entra_scope: inEntra?.scope ?? null,
    entra_account_kind: inEntra?.accountKind ?? null,
    entra_recipient_key: inEntra?.recipientKey ?? null,
    entra_version: inEntra?.version ?? null,
  };
}

/** A column that the constraint `jit_grant_target` keeps filled. */
function there<Value>(value: Value | null): Value {
  if (value === null) throw new Error('A grant lacks a column of its target.');
  return value;
}
