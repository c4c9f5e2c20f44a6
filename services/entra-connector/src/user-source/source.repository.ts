import { Injectable } from '@nestjs/common';
import { addSeconds, type Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { ChosenGroup } from './person.domain.ts';
import type { Leaving, UserSource } from './source.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  is_on: boolean;
  groups: ChosenGroup[];
  leaving: Leaving | null;
  users_cursor: string | null;
  groups_cursor: string | null;
  tracked: string[];
  round: UserSource['round'];
  changed: boolean;
  reread_at: Date | null;
  full_at: Date | null;
  due_at: Date | null;
  attempts: number;
  problem: string | null;
  last_sync_at: Date | null;
  version: number;
  fence: number;
  entra_tenant_id: string | null;
}
const columns = `s.msp_id, s.tenant_id, s.is_on, s.groups, s.leaving, s.users_cursor, s.groups_cursor, s.tracked, s.round, s.changed,
  s.reread_at, s.full_at, s.due_at, s.attempts, s.problem, s.last_sync_at, s.version, s.fence, s.entra_tenant_id`;
/** Longer than any one step takes. */
const leaseSeconds = 180;

/** User sources, one to a tenant. */
@Injectable()
export class SourceRepository {
  /** The tenant's source, made where there is none, locked. */
  async lock(tx: Tx, mspId: Id, tenantId: Id): Promise<UserSource> {
    await tx.query('insert into user_source (msp_id, tenant_id) values ($1, $2) on conflict do nothing', [mspId, tenantId]);
    const [row] = await tx.query<Row>(`select ${columns} from user_source s where s.msp_id = $1 and s.tenant_id = $2 for update`, [
      ...[mspId, tenantId],
    ]);
    if (row === undefined) throw new Error('A user source vanished.');
    return asSource(row);
  }

  async find(tx: Tx, mspId: Id, tenantId: Id): Promise<UserSource | null> {
    const [row] = await tx.query<Row>(`select ${columns} from user_source s where s.msp_id = $1 and s.tenant_id = $2`, [mspId, tenantId]);
    return row === undefined ? null : asSource(row);
  }

  /** Takes the source that has been due the longest, for a lease: whoever had it before has lost it, and it is due behind the others. */
  async take(tx: SystemTx, now: Date): Promise<UserSource | null> {
    const [row] = await tx.query<Row>(
      `update user_source s set leased_until = $2, fence = s.fence + 1, due_at = $1
       where (s.msp_id, s.tenant_id) = (select d.msp_id, d.tenant_id from user_source d where d.due_at <= $1
         and (d.leased_until is null or d.leased_until <= $1) order by d.due_at limit 1 for update skip locked)
       returning ${columns}`,
      [now, addSeconds(now, leaseSeconds)],
    );
    return row === undefined ? null : asSource(row);
  }

  /** Locks the source while the lease under which it was taken still holds; null when somebody else has it, or a person changed it. */
  async held(tx: SystemTx, { mspId, tenantId, fence }: UserSource): Promise<UserSource | null> {
    const [row] = await tx.query<Row>(
      `select ${columns} from user_source s where s.msp_id = $1 and s.tenant_id = $2 and s.fence = $3 for update`,
      [mspId, tenantId, fence],
    );
    return row === undefined ? null : asSource(row);
  }

  /** Saves all of it. `lease` END: its work is done for now. CUT: whoever works on it finds that it has changed. */
  async save(tx: Tx, source: UserSource, lease: 'END' | 'CUT'): Promise<void> {
    await tx.query(
      `update user_source set is_on = $3, groups = $4, leaving = $5, users_cursor = $6, groups_cursor = $7, tracked = $8, round = $9,
         changed = $10, reread_at = $11, full_at = $12, due_at = $13, attempts = $14, problem = $15, last_sync_at = $16, version = $17,
         leased_until = null, fence = fence + $18, entra_tenant_id = $19
       where msp_id = $1 and tenant_id = $2`,
      [
        ...[source.mspId, source.tenantId, source.on, JSON.stringify(source.groups), source.leaving, source.usersCursor],
        ...[source.groupsCursor, source.tracked, source.round, source.changed, source.rereadAt, source.fullAt, source.dueAt],
        ...[source.attempts, source.problem?.slice(0, 500) ?? null, source.lastSyncAt, source.version, lease === 'CUT' ? 1 : 0],
        source.entraTenantId,
      ],
    );
  }
}

function asSource(row: Row): UserSource {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, on: row.is_on, groups: row.groups, leaving: row.leaving },
    ...{ usersCursor: row.users_cursor, groupsCursor: row.groups_cursor, tracked: row.tracked, round: row.round, changed: row.changed },
    ...{ rereadAt: row.reread_at, fullAt: row.full_at, dueAt: row.due_at, attempts: row.attempts, problem: row.problem },
    ...{ lastSyncAt: row.last_sync_at, version: row.version, fence: row.fence },
    entraTenantId: row.entra_tenant_id,
  };
}
