import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { ChosenGroup } from './person.domain.ts';
import type { Counts, Reading, ReadingState } from './source.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  purpose: Reading['purpose'];
  state: ReadingState;
  groups: ChosenGroup[];
  started_at: Date;
  place: number;
  cursor: string | null;
  tracked: string[] | null;
  missing: string[];
  users_cursor: string | null;
  groups_cursor: string | null;
  through: string | null;
  counts: Counts | null;
  held_because: string | null;
  entra_tenant_id: string | null;
}
const columns = `r.msp_id, r.tenant_id, r.id, r.purpose, r.state, r.groups, r.started_at, r.place, r.cursor, r.tracked, r.missing,
  r.users_cursor, r.groups_cursor, r.through, r.counts, r.held_because, r.entra_tenant_id`;

/** Readings of the chosen groups' members. */
@Injectable()
export class ReadingRepository {
  /** Begins a reading; false when the id is taken. There must be no open one of its purpose. */
  async insert(tx: Tx, reading: Pick<Reading, 'mspId' | 'tenantId' | 'id' | 'purpose' | 'groups' | 'startedAt'>): Promise<boolean> {
    const rows = await tx.query(
      `insert into user_source_reading (msp_id, tenant_id, id, purpose, state, groups, started_at)
       values ($1, $2, $3, $4, 'READING', $5, $6) on conflict (msp_id, id) do nothing returning id`,
      [reading.mspId, reading.tenantId, reading.id, reading.purpose, JSON.stringify(reading.groups), reading.startedAt],
    );
    return rows.length > 0;
  }

  async save(tx: Tx, reading: Reading, now: Date): Promise<void> {
    const ended = reading.state === 'APPLIED' || reading.state === 'DISCARDED';
    await tx.query(
      `update user_source_reading set state = $3, place = $4, cursor = $5, tracked = $6, missing = $7, users_cursor = $8,
         groups_cursor = $9, through = $10, counts = $11, held_because = $12, ended_at = $13, entra_tenant_id = $14
       where msp_id = $1 and id = $2`,
      [
        ...[reading.mspId, reading.id, reading.state, reading.place, reading.cursor, reading.tracked, reading.missing],
        ...[reading.usersCursor, reading.groupsCursor, reading.through],
        ...[reading.counts === null ? null : JSON.stringify(reading.counts), reading.heldBecause, ended ? now : null],
        reading.entraTenantId,
      ],
    );
    if (ended) await tx.query('delete from user_source_found where msp_id = $1 and reading_id = $2', [reading.mspId, reading.id]);
  }

  /** Open readings of a tenant's source, oldest first. */
  async open(tx: Tx, mspId: Id, tenantId: Id): Promise<Reading[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from user_source_reading r where r.msp_id = $1 and r.tenant_id = $2
       and r.state in ('READING', 'COMPARING', 'WAITING', 'APPLYING') order by r.id`,
      [mspId, tenantId],
    );
    return rows.map(asReading);
  }

  async find(tx: Tx, mspId: Id, id: Id): Promise<Reading | null> {
    const [row] = await tx.query<Row>(`select ${columns} from user_source_reading r where r.msp_id = $1 and r.id = $2`, [mspId, id]);
    return row === undefined ? null : asReading(row);
  }

  /** Ends all open readings of a purpose, or of both. */
  async discard(tx: Tx, mspId: Id, tenantId: Id, now: Date, purpose: Reading['purpose'] | null = null): Promise<void> {
    for (const reading of await this.open(tx, mspId, tenantId))
      if (purpose === null || reading.purpose === purpose) await this.save(tx, { ...reading, state: 'DISCARDED' }, now);
  }

  /** Removes readings that ended before, and previews from before that nobody said yes to. */
  async forget(tx: SystemTx, before: Date): Promise<number> {
    const rows = await tx.query(
      `delete from user_source_reading where (msp_id, id) in
         (select msp_id, id from user_source_reading
          where ended_at < $1 or (purpose = 'PREVIEW' and state = 'WAITING' and started_at < $1) limit 100 for update skip locked) returning id`,
      [before],
    );
    return rows.length;
  }
}

function asReading(row: Row): Reading {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, purpose: row.purpose, state: row.state, groups: row.groups },
    ...{ startedAt: row.started_at, place: row.place, cursor: row.cursor, tracked: row.tracked, missing: row.missing },
    ...{ usersCursor: row.users_cursor, groupsCursor: row.groups_cursor, through: row.through, counts: row.counts },
    heldBecause: row.held_because,
    entraTenantId: row.entra_tenant_id,
  };
}
