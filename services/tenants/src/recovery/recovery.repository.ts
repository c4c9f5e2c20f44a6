import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { Recovery, RecoveryState } from './recovery.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  technician_id: Id;
  reason: string;
  state: RecoveryState;
  started_by: Id;
  started_at: Date;
  approved_by: Id | null;
  expires_at: Date;
}
const columns = 'msp_id, tenant_id, id, technician_id, reason, state, started_by, started_at, approved_by, expires_at';

@Injectable()
export class RecoveryRepository {
  /** Inserts a recovery; false when its id is taken. */
  async insert(tx: SystemTx, recovery: Recovery): Promise<boolean> {
    const rows = await tx.query(
      `insert into recovery (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing returning id`,
      [
        ...[recovery.mspId, recovery.tenantId, recovery.id, recovery.technicianId, recovery.reason, recovery.state],
        ...[recovery.startedBy, recovery.startedAt, recovery.approvedBy, recovery.expiresAt],
      ],
    );
    return rows.length > 0;
  }

  /** Saves state, approver and expiry; `tokenHash` when a link was made. */
  async save(tx: SystemTx, recovery: Recovery, tokenHash: Buffer | null = null): Promise<void> {
    await tx.query(
      'update recovery set state = $3, approved_by = $4, expires_at = $5, token_hash = coalesce($6, token_hash) where msp_id = $1 and id = $2',
      [recovery.mspId, recovery.id, recovery.state, recovery.approvedBy, recovery.expiresAt, tokenHash],
    );
  }

  async find(tx: SystemTx, mspId: Id, id: Id): Promise<Recovery | null> {
    const [row] = await tx.query<Row>(`select ${columns} from recovery where msp_id = $1 and id = $2`, [mspId, id]);
    return row === undefined ? null : asRecovery(row);
  }

  async findByToken(tx: SystemTx, tokenHash: Buffer): Promise<Recovery | null> {
    const [row] = await tx.query<Row>(`select ${columns} from recovery where token_hash = $1`, [tokenHash]);
    return row === undefined ? null : asRecovery(row);
  }

  /** The recoveries of a technician that wait for somebody, visible in the scope; newest first. */
  async openOf(tx: Tx, mspId: Id, technicianId: Id, now: Date): Promise<Recovery[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from recovery where msp_id = $1 and technician_id = $2 and state in ('PENDING', 'APPROVED') and expires_at > $3 order by id desc`,
      [mspId, technicianId, now],
    );
    return rows.map(asRecovery);
  }
}

function asRecovery(row: Row): Recovery {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, technicianId: row.technician_id, reason: row.reason, state: row.state },
    ...{ startedBy: row.started_by, startedAt: row.started_at, approvedBy: row.approved_by, expiresAt: row.expires_at },
  };
}
