import type { AccountKind } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { LoginRequest, StoredLoginState } from './login.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  device_id: Id;
  method: LoginRequest['method'];
  state: StoredLoginState;
  failure: string | null;
  code_hash: Buffer | null;
  shown_number: string;
  host_name: string;
  tenant_name: string;
  session_seconds: number;
  account_kinds: AccountKind[];
  account_kind: AccountKind;
  domain_obstacle: string | null;
  started_at: Date;
  expires_at: Date;
  asked_technician_id: Id | null;
}

const columns =
  'msp_id, tenant_id, id, device_id, method, state, failure, code_hash, shown_number, host_name, tenant_name, session_seconds, started_at, expires_at, account_kinds, account_kind, domain_obstacle, asked_technician_id';

/** Login requests. */
export class LoginRepository {
  /** Adds the request, with the address whose technician is to be asked; false when its id is taken. */
  async insert(tx: Tx, request: LoginRequest, askedEmail: string | null = null): Promise<boolean> {
    const rows = await tx.query(
      `insert into login_request (${columns}, asked_email) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
       on conflict (msp_id, id) do nothing returning id`,
      [
        request.mspId,
        request.tenantId,
        request.id,
        request.deviceId,
        request.method,
        request.state,
        request.failure,
        request.codeHash,
        request.shownNumber,
        request.hostName,
        request.tenantName,
        request.sessionSeconds,
        request.startedAt,
        request.expiresAt,
        request.accountKinds,
        request.accountKind,
        request.domainObstacle,
        request.askedTechnicianId,
        askedEmail,
      ],
    );
    return rows.length === 1;
  }

  async find(tx: Tx, mspId: Id, id: Id): Promise<LoginRequest | null> {
    const [row] = await tx.query<Row>(`select ${columns} from login_request where msp_id = $1 and id = $2`, [mspId, id]);
    return row === undefined ? null : asLogin(row);
  }

  async findMany(tx: Tx, mspId: Id, ids: readonly Id[]): Promise<LoginRequest[]> {
    return (await tx.query<Row>(`select ${columns} from login_request where msp_id = $1 and id = any($2)`, [mspId, ids])).map(asLogin);
  }

  async findByCode(tx: Tx, mspId: Id, codeHash: Buffer): Promise<LoginRequest | null> {
    const [row] = await tx.query<Row>(`select ${columns} from login_request where msp_id = $1 and code_hash = $2`, [mspId, codeHash]);
    return row === undefined ? null : asLogin(row);
  }

  /** The device's requests that nobody decided on and no sweep has ended, oldest first. */
  async pendingOf(tx: Tx, mspId: Id, deviceId: Id): Promise<LoginRequest[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from login_request where msp_id = $1 and device_id = $2 and state = 'PENDING' order by started_at, id`,
      [mspId, deviceId],
    );
    return rows.map(asLogin);
  }

  /**
   * Moves a PENDING request on, in one conditional update: of two decisions only one can win. `inTimeAt` also demands
   * that it had not expired then. False when another decision was first.
   */
  async leavePending(tx: Tx, request: LoginRequest, decided: Decided): Promise<boolean> {
    return this.#leave(tx, 'PENDING', request, decided);
  }

  /** The same for a request that awaits the approval of other people. */
  async leaveAwaited(tx: Tx, request: LoginRequest, decided: Decided): Promise<boolean> {
    return this.#leave(tx, 'AWAITING_APPROVAL', request, decided);
  }

  /** Overdue requests that nobody else is working on, locked. */
  async overdue(tx: SystemTx, now: Date, limit: number): Promise<LoginRequest[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from login_request where state = 'PENDING' and expires_at <= $1 order by expires_at limit $2 for update skip locked`,
      [now, limit],
    );
    return rows.map(asLogin);
  }

  async #leave(tx: Tx, from: StoredLoginState, request: LoginRequest, decided: Decided): Promise<boolean> {
    const rows = await tx.query(
      `update login_request set state = $3, failure = $4, session_seconds = $5, decided_at = $6, decided_by = $7, expires_at = $9, account_kind = $11
       where msp_id = $1 and id = $2 and state = $10 and ($8::timestamptz is null or expires_at > $8) returning id`,
      [
        ...[request.mspId, request.id, request.state, request.failure, request.sessionSeconds],
        ...[decided.at, decided.by, decided.inTimeAt, request.expiresAt, from, request.accountKind],
      ],
    );
    return rows.length === 1;
  }
}

interface Decided {
  at: Date;
  by: Id | null;
  inTimeAt: Date | null;
}

function asLogin(row: Row): LoginRequest {
  return {
    mspId: row.msp_id,
    tenantId: row.tenant_id,
    id: row.id,
    deviceId: row.device_id,
    method: row.method,
    state: row.state,
    failure: row.failure,
    codeHash: row.code_hash,
    shownNumber: row.shown_number,
    hostName: row.host_name,
    tenantName: row.tenant_name,
    sessionSeconds: row.session_seconds,
    accountKinds: row.account_kinds,
    accountKind: row.account_kind,
    domainObstacle: row.domain_obstacle,
    startedAt: row.started_at,
    expiresAt: row.expires_at,
    askedTechnicianId: row.asked_technician_id,
  };
}
