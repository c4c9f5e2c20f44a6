import { Injectable } from '@nestjs/common';
import type { Id, PageRequest } from '@stint/kernel';
import type { Tx } from '@stint/tenancy';
import type { Group } from './group.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  name: string;
  version: number;
  from_source: boolean;
}
const columns = 'g.msp_id, g.tenant_id, g.id, g.name, g.version, g.from_source';

@Injectable()
export class GroupRepository {
  /** Inserts a group; false when its id or its name in the tenant is taken. */
  async insert(tx: Tx, group: Group): Promise<boolean> {
    const rows = await tx.query(
      'insert into technician_group (msp_id, tenant_id, id, name) values ($1, $2, $3, $4) on conflict do nothing returning id',
      [group.mspId, group.tenantId, group.id, group.name],
    );
    return rows.length > 0;
  }

  async findMany(tx: Tx, mspId: Id, ids: readonly Id[]): Promise<Group[]> {
    return (await tx.query<Row>(`select ${columns} from technician_group g where g.msp_id = $1 and g.id = any($2)`, [mspId, ids])).map(
      asGroup,
    );
  }

  async list(tx: Tx, mspId: Id, tenantId: Id, page: PageRequest): Promise<Group[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from technician_group g where g.msp_id = $1 and g.tenant_id = $2 and ($3::uuid is null or g.id > $3) order by g.id limit $4`,
      [mspId, tenantId, page.after, page.first + 1],
    );
    return rows.map(asGroup);
  }

  async ofTechnician(tx: Tx, mspId: Id, technicianId: Id): Promise<Group[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from technician_group g join group_member m on m.msp_id = g.msp_id and m.group_id = g.id
       where m.msp_id = $1 and m.technician_id = $2 order by g.id`,
      [mspId, technicianId],
    );
    return rows.map(asGroup);
  }

  /** A group's members, and which of them the user source put there. */
  async members(tx: Tx, mspId: Id, groupId: Id): Promise<{ technicianId: Id; fromSource: boolean }[]> {
    return tx.query(
      `select technician_id as "technicianId", from_source as "fromSource" from group_member
       where msp_id = $1 and group_id = $2 order by technician_id`,
      [mspId, groupId],
    );
  }

  /** How many groups each of the technicians is in. */
  async countOf(tx: Tx, mspId: Id, technicianIds: readonly Id[]): Promise<Map<Id, number>> {
    const rows = await tx.query<{ technician_id: Id; groups: number }>(
      'select technician_id, count(*)::int as groups from group_member where msp_id = $1 and technician_id = any($2) group by technician_id',
      [mspId, technicianIds],
    );
    return new Map(rows.map((row) => [row.technician_id, row.groups]));
  }

  async setMembers(tx: Tx, group: Group, technicianIds: readonly Id[]): Promise<void> {
    await tx.query('delete from group_member where msp_id = $1 and group_id = $2 and technician_id <> all($3)', [
      group.mspId,
      group.id,
      technicianIds,
    ]);
    await tx.query(
      'insert into group_member (msp_id, tenant_id, group_id, technician_id) select $1, $2, $3, unnest($4::uuid[]) on conflict do nothing',
      [group.mspId, group.tenantId, group.id, technicianIds],
    );
  }
}

function asGroup(row: Row): Group {
  return { mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, name: row.name, version: row.version, fromSource: row.from_source };
}
