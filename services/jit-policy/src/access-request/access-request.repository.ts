import type { Id, PageRequest } from '@stint/kernel';
import type { ApprovalProof, EntraAccountKind } from '@stint/contracts';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { AccessApproval, AccessRequest, RequestTarget } from './access-request.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  technician_id: Id;
  target: RequestTarget['kind'];
  login_request_id: Id | null;
  device_id: Id | null;
  entra_role: string | null;
  entra_scope: string | null;
  entra_account_kind: EntraAccountKind | null;
  entra_recipient_key: string | null;
  state: AccessRequest['state'];
  reason: string | null;
  ticket: string | null;
  session_seconds: number;
  rule_id: Id;
  rule_name: string;
  needed: number;
  approver_group_id: Id | null;
  max_seconds: number;
  proof: ApprovalProof | null;
  requested_at: Date;
  expires_at: Date;
  ended_at: Date | null;
  ended_by: Id | null;
  ended_why: string | null;
}
interface ApprovalRow {
  access_request_id: Id;
  approver_id: Id;
  session_seconds: number;
  proof: ApprovalProof;
  approved_at: Date;
}

const names = [
  'msp_id',
  'tenant_id',
  'id',
  'technician_id',
  'target',
  'login_request_id',
  'device_id',
  'entra_role',
  'entra_scope',
  'entra_account_kind',
  'entra_recipient_key',
  'state',
  'reason',
  'ticket',
  'session_seconds',
  'rule_id',
  'rule_name',
  'needed',
  'approver_group_id',
  'max_seconds',
  'proof',
  'requested_at',
  'expires_at',
  'ended_at',
  'ended_by',
  'ended_why',
] as const satisfies readonly (keyof Row)[];
const columns = names.join(', ');

/** Access requests with their approvals. */
export class AccessRequestRepository {
  /** Adds the request; false when its id is taken. */
  async insert(tx: Tx, request: AccessRequest): Promise<boolean> {
    const row = asRow(request);
    const rows = await tx.query(
      `insert into access_request (${columns}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})
       on conflict (msp_id, id) do nothing returning id`,
      names.map((name) => (name === 'proof' ? json(row.proof) : row[name])),
    );
    return rows.length === 1;
  }

  /** Saves what can change; the request's device, or for Entra the request itself, must be locked. */
  async save(tx: Tx, request: AccessRequest): Promise<void> {
    await tx.query(
      `update access_request set state = $3, session_seconds = $4, ended_at = $5, ended_by = $6, ended_why = $7 where msp_id = $1 and id = $2`,
      [request.mspId, request.id, request.state, request.sessionSeconds, request.endedAt, request.endedBy, request.endedWhy],
    );
  }

  async addApproval(tx: Tx, id: Id, request: AccessRequest, approval: AccessApproval): Promise<void> {
    await tx.query(
      `insert into access_approval (msp_id, tenant_id, id, access_request_id, approver_id, session_seconds, proof, approved_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        ...[request.mspId, request.tenantId, id, request.id, approval.approverId, approval.sessionSeconds],
        ...[json(approval.proof), approval.approvedAt],
      ],
    );
  }

  async find(tx: Tx, mspId: Id, id: Id): Promise<AccessRequest | null> {
    return (await this.#all(tx, mspId, 'where msp_id = $1 and id = $2', [id]))[0] ?? null;
  }

  /** A request for access in Entra, locked. */
  async lockedForEntra(tx: Tx, mspId: Id, id: Id): Promise<AccessRequest | null> {
    return (await this.#all(tx, mspId, `where msp_id = $1 and id = $2 and target = 'ENTRA' for update`, [id]))[0] ?? null;
  }

  /** Requests for access in Entra whose time is over, locked; those that somebody else has locked are left to the next round. */
  async overdueForEntra(tx: SystemTx, now: Date, limit: number): Promise<AccessRequest[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from access_request where target = 'ENTRA' and state = 'PENDING' and expires_at <= $1
       order by expires_at limit $2 for update skip locked`,
      [now, limit],
    );
    // Without their approvals: they end, whoever approved.
    return rows.map((row) => asRequest(row, []));
  }

  /** The requests of logins, by the login's id. */
  async ofLogins(tx: Tx, mspId: Id, loginRequestIds: readonly Id[]): Promise<Map<Id, AccessRequest>> {
    const found = await this.#all(tx, mspId, 'where msp_id = $1 and login_request_id = any($2)', [loginRequestIds]);
    return new Map(found.flatMap((request) => (request.target.kind === 'LOGIN' ? [[request.target.loginRequestId, request]] : [])));
  }

  /** What waits on a device, oldest first. */
  async pendingOfDevice(tx: Tx, mspId: Id, deviceId: Id): Promise<AccessRequest[]> {
    return this.#all(tx, mspId, `where msp_id = $1 and device_id = $2 and state = 'PENDING' order by id`, [deviceId]);
  }

  /** The requests that wait in the scope for somebody else than `approverId`, whose groups are `groupIds`, and have not yet got their yes; oldest first. */
  async waitingFor(tx: Tx, mspId: Id, approverId: Id, groupIds: readonly Id[], now: Date, limit: number): Promise<AccessRequest[]> {
    return this.#all(
      tx,
      mspId,
      `where msp_id = $1 and state = 'PENDING' and technician_id <> $2 and expires_at > $4
         and (approver_group_id is null or approver_group_id = any($3))
         and not exists (select 1 from access_approval a
           where a.msp_id = access_request.msp_id and a.access_request_id = access_request.id and a.approver_id = $2)
       order by id limit $5`,
      [approverId, groupIds, now, limit],
    );
  }

  /** Devices on which a request of the technician waits, in the order in which they are to be locked. */
  async devicesOfPending(tx: Tx, mspId: Id, technicianId: Id): Promise<Id[]> {
    const rows = await tx.query<{ device_id: Id }>(
      `select distinct device_id from access_request
       where msp_id = $1 and technician_id = $2 and target = 'LOGIN' and state = 'PENDING' order by device_id`,
      [mspId, technicianId],
    );
    return rows.map((row) => row.device_id);
  }

  /** Devices with a request whose time is over. */
  async overdueDevices(tx: SystemTx, now: Date, limit: number): Promise<{ mspId: Id; id: Id }[]> {
    const rows = await tx.query<{ msp_id: Id; device_id: Id }>(
      `select distinct msp_id, device_id from (
         select msp_id, device_id from access_request
         where target = 'LOGIN' and state = 'PENDING' and expires_at <= $1 order by expires_at limit $2) overdue`,
      [now, limit],
    );
    return rows.map((row) => ({ mspId: row.msp_id, id: row.device_id }));
  }

  /** For each tenant the requests of one page, newest first, with one surplus row where there are more. */
  async pages(tx: Tx, mspId: Id, tenantIds: readonly Id[], page: PageRequest): Promise<Map<Id, AccessRequest[]>> {
    const rows = await tx.query<Row>(
      `select ${names.map((name) => `r.${name}`).join(', ')} from unnest($2::uuid[]) as o(id)
       cross join lateral (
         select ${columns} from access_request
         where msp_id = $1 and tenant_id = o.id and ($3::uuid is null or id < $3) order by id desc limit $4) r
       order by o.id, r.id desc`,
      [mspId, tenantIds, page.after, page.first + 1],
    );
    const pages = new Map<Id, AccessRequest[]>(tenantIds.map((id) => [id, []]));
    for (const request of await this.#withApprovals(tx, mspId, rows)) pages.get(request.tenantId)?.push(request);
    return pages;
  }

  async #all(tx: Tx, mspId: Id, condition: string, values: unknown[]): Promise<AccessRequest[]> {
    const rows = await tx.query<Row>(`select ${columns} from access_request ${condition}`, [mspId, ...values]);
    return this.#withApprovals(tx, mspId, rows);
  }

  async #withApprovals(tx: Tx, mspId: Id, rows: Row[]): Promise<AccessRequest[]> {
    if (rows.length === 0) return [];
    const approvals = await tx.query<ApprovalRow>(
      `select access_request_id, approver_id, session_seconds, proof, approved_at from access_approval
       where msp_id = $1 and access_request_id = any($2) order by id`,
      [mspId, rows.map(({ id }) => id)],
    );
    return rows.map((row) =>
      asRequest(
        row,
        approvals.filter((one) => one.access_request_id === row.id),
      ),
    );
  }
}

function json(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

function asRow(request: AccessRequest): Row {
  return {
    msp_id: request.mspId,
    tenant_id: request.tenantId,
    id: request.id,
    technician_id: request.technicianId,
    ...targetColumns(request.target),
    state: request.state,
    reason: request.reason,
    ticket: request.ticket,
    session_seconds: request.sessionSeconds,
    rule_id: request.ruleId,
    rule_name: request.ruleName,
    needed: request.needed,
    approver_group_id: request.approverGroupId,
    max_seconds: request.maxSeconds,
    proof: request.proof,
    requested_at: request.requestedAt,
    expires_at: request.expiresAt,
    ended_at: request.endedAt,
    ended_by: request.endedBy,
    ended_why: request.endedWhy,
  };
}

function asRequest(row: Row, approvals: ApprovalRow[]): AccessRequest {
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
    ruleId: row.rule_id,
    ruleName: row.rule_name,
    needed: row.needed,
    approverGroupId: row.approver_group_id,
    maxSeconds: row.max_seconds,
    proof: row.proof,
    requestedAt: row.requested_at,
    expiresAt: row.expires_at,
    endedAt: row.ended_at,
    endedBy: row.ended_by,
    endedWhy: row.ended_why,
    approvals: approvals.map((one) => ({
      approverId: one.approver_id,
      sessionSeconds: one.session_seconds,
      proof: one.proof,
      approvedAt: one.approved_at,
    })),
  };
}

function targetOf(row: Row): RequestTarget {
  const { login_request_id: loginRequestId, device_id: deviceId } = row;
  if (loginRequestId !== null && deviceId !== null) return { kind: 'LOGIN', loginRequestId, deviceId };
  const { entra_role: roleName, entra_scope: scope, entra_account_kind: accountKind, entra_recipient_key: recipientKey } = row;
  if (roleName === null || scope === null || accountKind === null || recipientKey === null)
    throw new Error('An access request lacks a column of its target.');
  return { kind: 'ENTRA', roleName, scope, accountKind, recipientKey };
}

type TargetColumn =
  'target' | 'login_request_id' | 'device_id' | 'entra_role' | 'entra_scope' | 'entra_account_kind' | 'entra_recipient_key';

function targetColumns(target: RequestTarget): Pick<Row, TargetColumn> {
  const ofLogin = target.kind === 'LOGIN' ? target : null;
  const inEntra = target.kind === 'ENTRA' ? target : null;
  return {
    target: target.kind,
    login_request_id: ofLogin?.loginRequestId ?? null,
    device_id: ofLogin?.deviceId ?? null,
    entra_role: inEntra?.roleName ?? null,
    entra_scope: inEntra?.scope ?? null,
    entra_account_kind: inEntra?.accountKind ?? null,
    entra_recipient_key: inEntra?.recipientKey ?? null,
  };
}
