import { Injectable } from '@nestjs/common';
import type { AuditAction, AuditEvent } from '@stint/contracts';
import type { Id, PageRequest } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import { genesis, type ChainedEvent, type ChainHead } from './audit.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  sequence: string;
  occurred_at: Date;
  actor_kind: AuditEvent['actorKind'];
  actor_id: Id | null;
  action: AuditAction;
  subject_id: Id;
  details: AuditEvent['details'];
  hash: Buffer;
}
const columns = 'msp_id, tenant_id, id, sequence, occurred_at, actor_kind, actor_id, action, subject_id, details, hash';

@Injectable()
export class AuditRepository {
  /** The end of a tenant's chain, locked: events of one tenant are appended one after the other. */
  async lockHead(tx: SystemTx, mspId: Id, tenantId: Id): Promise<ChainHead> {
    await tx.query(
      'insert into audit_head (msp_id, tenant_id, id, sequence, hash, mac) values ($1, $2, $2, 0, $3, $3) on conflict do nothing',
      [mspId, tenantId, genesis],
    );
    const head = await this.head(tx, mspId, tenantId, 'for update');
    if (head === null) throw new Error('The head of an audit chain vanished.');
    return head;
  }

  async head(tx: Tx, mspId: Id, tenantId: Id, lock: '' | 'for update' = ''): Promise<ChainHead | null> {
    const [row] = await tx.query<{ sequence: string; hash: Buffer; mac: Buffer }>(
      `select sequence, hash, mac from audit_head where msp_id = $1 and id = $2 ${lock}`,
      [mspId, tenantId],
    );
    return row === undefined ? null : { sequence: Number(row.sequence), hash: row.hash, mac: row.mac };
  }

  async append(tx: SystemTx, event: ChainedEvent, mac: Buffer): Promise<void> {
    const { mspId, tenantId } = event;
    await tx.query(`insert into audit_event (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, [
      ...[mspId, tenantId, event.eventId, event.sequence, event.occurredAt, event.actorKind, event.actorId],
      ...[event.action, event.subjectId, JSON.stringify(event.details), event.hash],
    ]);
    await tx.query('update audit_head set sequence = $3, hash = $4, mac = $5 where msp_id = $1 and id = $2', [
      mspId,
      tenantId,
      event.sequence,
      event.hash,
      mac,
    ]);
  }

  /** Newest first; `page.after` is an event's id. */
  async list(tx: Tx, mspId: Id, tenantId: Id, page: PageRequest): Promise<ChainedEvent[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from audit_event where msp_id = $1 and tenant_id = $2
       and ($3::uuid is null or sequence < (select sequence from audit_event where msp_id = $1 and tenant_id = $2 and id = $3))
       order by sequence desc limit $4`,
      [mspId, tenantId, page.after, page.first + 1],
    );
    return rows.map(asEvent);
  }

  /** In order of the chain, after `sequence`. */
  async following(tx: Tx, mspId: Id, tenantId: Id, sequence: number, limit: number): Promise<ChainedEvent[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from audit_event where msp_id = $1 and tenant_id = $2 and sequence > $3 order by sequence limit $4`,
      [mspId, tenantId, sequence, limit],
    );
    return rows.map(asEvent);
  }
}

function asEvent(row: Row): ChainedEvent {
  return {
    mspId: row.msp_id,
    tenantId: row.tenant_id,
    eventId: row.id,
    sequence: Number(row.sequence),
    occurredAt: row.occurred_at.toISOString(),
    actorKind: row.actor_kind,
    actorId: row.actor_id,
    action: row.action,
    subjectId: row.subject_id,
    details: row.details,
    hash: row.hash,
  };
}
