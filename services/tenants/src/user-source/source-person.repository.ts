import { Injectable } from '@nestjs/common';
import type { Payload, SourceRole } from '@stint/contracts';
import { newId, type Id, type PageRequest } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { AddressHolder, SourceConflictKind, SourcePerson } from './source-person.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  object_id: string;
  email: string;
  display_name: string;
  present: boolean;
  owned: boolean;
  group_ids: Id[];
  roles: SourceRole[];
  version: number;
  conflict: SourceConflictKind | null;
  left_alone: boolean;
}
const columns =
  'p.msp_id, p.tenant_id, p.id, p.object_id, p.email, p.display_name, p.present, p.owned, p.group_ids, p.roles, p.version, p.conflict, p.left_alone';

/** What people of user sources must be. */
@Injectable()
export class SourcePersonRepository {
  /** Keeps what was told if it is newer, and answers it, locked; null when it is old. */
  async save(tx: SystemTx, told: Payload<'source-technician-changed'>): Promise<SourcePerson | null> {
    const [row] = await tx.query<Row>(
      `insert into source_person as p (msp_id, tenant_id, id, object_id, email, display_name, present, owned, group_ids, roles, version)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
       on conflict (msp_id, tenant_id, object_id) do update set email = excluded.email, display_name = excluded.display_name,
         present = excluded.present, owned = excluded.owned, group_ids = excluded.group_ids, roles = excluded.roles,
         version = excluded.version, left_alone = p.left_alone and p.email = excluded.email
       where p.version < excluded.version returning ${columns}`,
      [
        ...[told.mspId, told.tenantId, newId(), told.objectId, told.email, told.displayName, told.present, told.owned],
        ...[told.groupIds, told.roles, told.version],
      ],
    );
    return row === undefined ? null : asPerson(row);
  }

  /** Locked until the transaction ends. */
  async lock(tx: SystemTx, mspId: Id, id: Id): Promise<SourcePerson | null> {
    const [row] = await tx.query<Row>(`select ${columns} from source_person p where p.msp_id = $1 and p.id = $2 for update`, [mspId, id]);
    return row === undefined ? null : asPerson(row);
  }

  async ofObject(tx: SystemTx, mspId: Id, tenantId: Id, objectId: string): Promise<SourcePerson | null> {
    const [row] = await tx.query<Row>(
      `select ${columns} from source_person p where p.msp_id = $1 and p.tenant_id = $2 and p.object_id = $3 for update`,
      [mspId, tenantId, objectId],
    );
    return row === undefined ? null : asPerson(row);
  }

  async setConflict(tx: SystemTx, person: SourcePerson, conflict: SourceConflictKind | null, retryAt: Date | null): Promise<void> {
    await tx.query('update source_person set conflict = $3, retry_at = $4 where msp_id = $1 and id = $2', [
      ...[person.mspId, person.id, conflict, retryAt],
    ]);
  }

  async setLeftAlone(tx: SystemTx, person: SourcePerson, leftAlone: boolean): Promise<void> {
    await tx.query('update source_person set left_alone = $3 where msp_id = $1 and id = $2', [person.mspId, person.id, leftAlone]);
  }

  /** People whose conflict may be over by now, locked, leaving those whom another replica has. */
  async due(tx: SystemTx, now: Date, most: number): Promise<SourcePerson[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from source_person p where p.retry_at <= $1 order by p.retry_at limit $2 for update skip locked`,
      [now, most],
    );
    return rows.map(asPerson);
  }

  /** Conflicts of a tenant's source, oldest first, one more than the page. */
  async conflicts(tx: Tx, mspId: Id, tenantId: Id, page: PageRequest): Promise<SourcePerson[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from source_person p where p.msp_id = $1 and p.tenant_id = $2 and p.conflict is not null
       and ($3::uuid is null or p.id > $3) order by p.id limit $4`,
      [mspId, tenantId, page.after, page.first + 1],
    );
    return rows.map(asPerson);
  }

  /** A conflict in the actor's reach. */
  async conflict(tx: Tx, mspId: Id, id: Id): Promise<SourcePerson | null> {
    const [row] = await tx.query<Row>(
      `select ${columns} from source_person p where p.msp_id = $1 and p.id = $2 and p.conflict is not null`,
      [mspId, id],
    );
    return row === undefined ? null : asPerson(row);
  }

  /** Who has the address in the MSP, seen from the source of `tenantId`. */
  async holderOf(tx: Tx, mspId: Id, tenantId: Id, email: string): Promise<AddressHolder | null> {
    const [row] = await tx.query<AddressHolder>(
      `select t.id as "technicianId", t.sourced and t.tenant_id = $2 as sourced,
         exists (select 1 from source_person p where p.msp_id = t.msp_id and p.tenant_id = t.tenant_id
           and p.object_id = t.source_object_id and p.email = $3 and p.present and p.owned) as claims
       from technician t where t.msp_id = $1 and t.email = $3`,
      [mspId, tenantId, email],
    );
    return row ?? null;
  }

  /** Takes note of a newer state of a tenant's source; false when it is old. */
  async newerSource(tx: SystemTx, told: Payload<'user-source-changed'>): Promise<boolean> {
    const rows = await tx.query(
      `insert into user_source (msp_id, tenant_id, version) values ($1, $2, $3)
       on conflict (msp_id, tenant_id) do update set version = excluded.version where user_source.version < excluded.version
       returning version`,
      [told.mspId, told.tenantId, told.version],
    );
    return rows.length > 0;
  }

  /** Marks which groups of a tenant its source fills. */
  async setFedGroups(tx: SystemTx, mspId: Id, tenantId: Id, groupIds: readonly Id[]): Promise<void> {
    await tx.query(
      `update technician_group set from_source = (id = any($3))
       where msp_id = $1 and tenant_id = $2 and from_source <> (id = any($3))`,
      [mspId, tenantId, groupIds],
    );
  }
}

function asPerson(row: Row): SourcePerson {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, objectId: row.object_id, email: row.email },
    ...{ displayName: row.display_name, present: row.present, owned: row.owned, groupIds: row.group_ids, roles: row.roles },
    ...{ version: row.version, conflict: row.conflict, leftAlone: row.left_alone },
  };
}
