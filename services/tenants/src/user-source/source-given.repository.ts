import { Injectable } from '@nestjs/common';
import type { SourceRole } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';
import type { Technician } from '../technician/technician.domain.ts';
import type { SourcePerson } from './source-person.domain.ts';

/** What the source gives a technician: who they are, groups, roles. What people gave by hand is not touched. */
@Injectable()
export class SourceGivenRepository {
  /** The technician who is this object, locked. */
  async technicianId(tx: SystemTx, { mspId, tenantId, objectId }: SourcePerson): Promise<Id | null> {
    const [row] = await tx.query<{ id: Id }>(
      'select id from technician where msp_id = $1 and tenant_id = $2 and source_object_id = $3 for update',
      [mspId, tenantId, objectId],
    );
    return row?.id ?? null;
  }

  /** Makes the technician, who has yet to join; null when somebody took the address this moment. */
  async insert(tx: SystemTx, person: SourcePerson): Promise<Id | null> {
    const [row] = await tx.query<{ id: Id }>(
      `insert into technician (msp_id, tenant_id, id, email, display_name, source_object_id, sourced)
       values ($1, $2, $3, $4, $5, $6, true) on conflict do nothing returning id`,
      [person.mspId, person.tenantId, newId(), person.email, person.displayName, person.objectId],
    );
    return row?.id ?? null;
  }

  /** Says that a local technician is this object from now on. */
  async link(tx: SystemTx, { mspId, objectId }: SourcePerson, technicianId: Id): Promise<void> {
    await tx.query('update technician set source_object_id = $3, sourced = true where msp_id = $1 and id = $2', [
      ...[mspId, technicianId, objectId],
    ]);
  }

  async setEmail(tx: SystemTx, mspId: Id, technicianId: Id, email: string): Promise<void> {
    await tx.query('update technician set email = $3 where msp_id = $1 and id = $2', [mspId, technicianId, email]);
  }

  /** Sets what the source says of the technician; false when it was so already. */
  async set(tx: SystemTx, { mspId, id }: Technician, to: { email: string; displayName: string; off: boolean }): Promise<boolean> {
    const rows = await tx.query(
      `update technician set email = $3, display_name = $4, source_off = $5, sourced = true where msp_id = $1 and id = $2
       and (email, display_name, source_off, sourced) is distinct from ($3, $4, $5, true) returning id`,
      [mspId, id, to.email, to.displayName, to.off],
    );
    return rows.length > 0;
  }

  /** Lets go of the technician: what the source gave and said is theirs, as if set by hand. */
  async release(tx: SystemTx, mspId: Id, technicianId: Id): Promise<boolean> {
    const rows = await tx.query(
      `update technician set sourced = false, source_off = false, switched_off = switched_off or source_off
       where msp_id = $1 and id = $2 and sourced returning id`,
      [mspId, technicianId],
    );
    await tx.query('update group_member set from_source = false where msp_id = $1 and technician_id = $2 and from_source', [
      ...[mspId, technicianId],
    ]);
    await tx.query('update role_assignment set from_source = false where msp_id = $1 and technician_id = $2 and from_source', [
      ...[mspId, technicianId],
    ]);
    return rows.length > 0;
  }

  /** Which of the groups the source of the tenant may fill, and what the technician has besides what comes from it. */
  async known(tx: SystemTx, person: SourcePerson, technicianId: Id): Promise<{ groupIds: Id[]; localGroups: number; localRoles: number }> {
    const [row] = await tx.query<{ groupIds: Id[]; localGroups: number; localRoles: number }>(
      `select array(select g.id from technician_group g where g.msp_id = $1 and g.tenant_id = $2 and g.id = any($4)) as "groupIds",
         (select count(*)::int from group_member m where m.msp_id = $1 and m.technician_id = $3
           and not m.from_source and m.group_id <> all($4)) as "localGroups",
         (select count(*)::int from role_assignment r where r.msp_id = $1 and r.technician_id = $3
           and not r.from_source and not (r.tenant_id = $2 and r.role = any($5))) as "localRoles"`,
      [person.mspId, person.tenantId, technicianId, person.groupIds, person.roles],
    );
    return row ?? { groupIds: [], localGroups: 0, localRoles: 0 };
  }

  /** Puts the technician into exactly these groups of the source. A membership that was made by hand is the source's from then on. */
  async setGroups(tx: SystemTx, person: SourcePerson, technicianId: Id, groupIds: readonly Id[]): Promise<boolean> {
    const removed = await tx.query(
      'delete from group_member where msp_id = $1 and technician_id = $2 and from_source and group_id <> all($3) returning group_id',
      [person.mspId, technicianId, groupIds],
    );
    const added = await tx.query(
      `insert into group_member (msp_id, tenant_id, group_id, technician_id, from_source) select $1, $2, unnest($4::uuid[]), $3, true
       on conflict (msp_id, group_id, technician_id) do update set from_source = true where not group_member.from_source
       returning group_id`,
      [person.mspId, person.tenantId, technicianId, groupIds],
    );
    return removed.length + added.length > 0;
  }

  /** Gives exactly these roles on the source's tenant. One that was given by hand stays what it is. */
  async setRoles(tx: SystemTx, person: SourcePerson, technicianId: Id, roles: readonly SourceRole[]): Promise<boolean> {
    const removed = await tx.query(
      'delete from role_assignment where msp_id = $1 and technician_id = $2 and from_source and role <> all($3) returning id',
      [person.mspId, technicianId, roles],
    );
    const added = await tx.query(
      `insert into role_assignment (msp_id, tenant_id, id, technician_id, role, from_source)
       select $1, $2, ids.id, $3, ids.role, true from unnest($4::uuid[], $5::text[]) as ids (id, role)
       on conflict do nothing returning id`,
      [person.mspId, person.tenantId, technicianId, roles.map(() => newId()), roles],
    );
    return removed.length + added.length > 0;
  }
}
