import { Injectable } from '@nestjs/common';
import type { AuditAction, AuditEvent } from '@stint/contracts';
import type { Id, PageRequest } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import { genesis, type ChainAnchor, type ChainedEvent, type ChainHead } from './audit.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  sequence: string;
  occurred_at: string | null;
  actor_kind: AuditEvent['actorKind'];
  actor_id: Id | null;
  action: AuditAction;
  subject_id: Id;
  details: AuditEvent['details'];
  hash: Buffer;
}
interface HeadRow {
  head_sequence: string | null;
  head_hash: Buffer;
  head_mac: Buffer;
  anchor_sequence: string;
  anchor_hash: Buffer;
  anchor_mac: Buffer | null;
}
const headColumns = 'h.sequence as head_sequence, h.hash as head_hash, h.mac as head_mac, h.anchor_sequence, h.anchor_hash, h.anchor_mac';
const columns = 'msp_id, tenant_id, id, sequence, occurred_at, actor_kind, actor_id, action, subject_id, details, hash';
// Times as text with all their digits: a Date would hide what was altered below the millisecond.
const read = columns.replace('occurred_at', `to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as occurred_at`);

@Injectable()
export class AuditRepository {
  /** The end of a tenant's chain, locked: events of one tenant are appended one after the other. */
  async lockHead(tx: SystemTx, mspId: Id, tenantId: Id): Promise<ChainHead> {
    await tx.query(
      'insert into audit_head (msp_id, tenant_id, id, sequence, hash, mac) values ($1, $2, $2, 0, $3, $3) on conflict do nothing',
      [mspId, tenantId, genesis],
    );
    const head = await this.headLocked(tx, mspId, tenantId);
    if (head === null) throw new Error('The head of an audit chain vanished.');
    return head;
  }

  /** The same for a chain that may not have begun: null then. */
  async headLocked(tx: SystemTx, mspId: Id, tenantId: Id): Promise<ChainHead | null> {
    const [row] = await tx.query<HeadRow>(`select ${headColumns} from audit_head h where h.msp_id = $1 and h.id = $2 for update`, [
      ...[mspId, tenantId],
    ]);
    return row === undefined ? null : asHead(row);
  }

  async has(tx: SystemTx, event: AuditEvent): Promise<boolean> {
    const rows = await tx.query('select 1 from audit_event where msp_id = $1 and tenant_id = $2 and id = $3', [
      ...[event.mspId, event.tenantId, event.eventId],
    ]);
    return rows.length > 0;
  }

  /** Writes the event and the chain's new end: one statement, as the head is locked meanwhile. */
  async append(tx: SystemTx, event: ChainedEvent, mac: Buffer): Promise<void> {
    const { mspId, tenantId } = event;
    await tx.query(
      `with event as (
         insert into audit_event (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning sequence, hash
       )
       update audit_head h set sequence = event.sequence, hash = event.hash, mac = $12 from event where h.msp_id = $1 and h.id = $2`,
      [
        ...[mspId, tenantId, event.eventId, event.sequence, event.occurredAt, event.actorKind, event.actorId],
        ...[event.action, event.subjectId, JSON.stringify(event.details), event.hash, mac],
      ],
    );
  }

  /** Newest first; `page.after` is an event's id. */
  async list(tx: Tx, mspId: Id, tenantId: Id, page: PageRequest): Promise<ChainedEvent[]> {
    const rows = await tx.query<Row>(
      `select ${read} from audit_event where msp_id = $1 and tenant_id = $2
       and ($3::uuid is null or sequence < (select sequence from audit_event where msp_id = $1 and tenant_id = $2 and id = $3))
       order by sequence desc limit $4`,
      [mspId, tenantId, page.after, page.first + 1],
    );
    return rows.map(asEvent);
  }

  /**
   * Events in order of the chain, after the sequence `after` (null: from the very first row), with the head as it was at
   * the same moment: one statement is one snapshot, so that what is appended meanwhile is in both or in neither.
   */
  async following(
    tx: Tx,
    mspId: Id,
    tenantId: Id,
    after: number | null,
    limit: number,
  ): Promise<{ head: ChainHead | null; following: ChainedEvent[] }> {
    const rows = await tx.query<HeadRow & (Row | { id: null })>(
      `select ${headColumns}, e.*
       from (select 1) as always
       left join audit_head h on h.msp_id = $1 and h.id = $2
       left join (
         select ${read} from audit_event where msp_id = $1 and tenant_id = $2 and ($3::bigint is null or sequence > $3)
         order by sequence limit $4
       ) e on true
       order by e.sequence`,
      [mspId, tenantId, after, limit],
    );
    const following = rows.flatMap((row) => (row.id === null ? [] : [asEvent(row)]));
    return { head: rows[0] === undefined ? null : asHead(rows[0]), following };
  }

  /** Removes the events up to the anchor, which takes their place, and answers how many there were. The head must be locked. */
  async trim(tx: SystemTx, mspId: Id, tenantId: Id, anchor: ChainAnchor): Promise<number> {
    await tx.query('update audit_head set anchor_sequence = $3, anchor_hash = $4, anchor_mac = $5 where msp_id = $1 and id = $2', [
      ...[mspId, tenantId, anchor.sequence, anchor.hash, anchor.mac],
    ]);
    const rows = await tx.query('delete from audit_event where msp_id = $1 and tenant_id = $2 and sequence <= $3 returning 1', [
      ...[mspId, tenantId, anchor.sequence],
    ]);
    return rows.length;
  }
}

function asHead(row: HeadRow): ChainHead | null {
  if (row.head_sequence === null) return null;
  const anchor = { sequence: Number(row.anchor_sequence), hash: row.anchor_hash, mac: row.anchor_mac };
  return { sequence: Number(row.head_sequence), hash: row.head_hash, mac: row.head_mac, anchor };
}

function asEvent(row: Row): ChainedEvent {
  return {
    mspId: row.msp_id,
    tenantId: row.tenant_id,
    eventId: row.id,
    sequence: Number(row.sequence),
    // Milliseconds, as they were hashed; anything finer or without a date stays what it is, and no hash fits it.
    occurredAt: (row.occurred_at ?? '').replace(/000Z$/, 'Z'),
    actorKind: row.actor_kind,
    actorId: row.actor_id,
    action: row.action,
    subjectId: row.subject_id,
    details: row.details,
    hash: row.hash,
  };
}
