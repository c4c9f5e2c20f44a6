import { Injectable } from '@nestjs/common';
import { newId, type Id, type PageRequest } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { ChangeKind, PersonFacts, SkipReason, Wanted } from './person.domain.ts';
import type { Counts, FoundChange, Reading } from './source.domain.ts';

/** What a reading found of a person, beside what is known of them. */
export interface Compared {
  objectId: string;
  /** As the reading found them in a group; null for somebody in none. */
  facts: PersonFacts | null;
  /** Of somebody in none: as they are, where they were asked for and are there. */
  apart: PersonFacts | null;
  /** Asked for, and not there any more. */
  gone: boolean;
  groupIds: string[];
  isProtected: boolean;
  knownFacts: PersonFacts | null;
  deleted: boolean;
  toldAt: Date | null;
  told: Wanted | null;
  version: number;
}

// A local technician, or somebody else of the reading, has the address.
const conflictOf = `case when f.wanted ->> 'present' is distinct from 'true' then null
  when exists (select 1 from user_source_found o where o.msp_id = f.msp_id and o.reading_id = f.reading_id
    and o.object_id <> f.object_id and o.wanted ->> 'email' = f.wanted ->> 'email' and o.wanted ->> 'present' = 'true') then 'ADDRESS_TWICE'
  when exists (select 1 from technician t where t.msp_id = f.msp_id and t.email = f.wanted ->> 'email'
    and t.source_object_id is null) then 'LOCAL_TECHNICIAN' end`;

/** What readings found. */
@Injectable()
export class FoundRepository {
  /** Adds a page of a group's members. Read twice, it is the same. */
  async add(tx: SystemTx, reading: Reading, groupId: string, people: readonly { id: string; facts: PersonFacts }[]): Promise<void> {
    await tx.query(
      `insert into user_source_found as f (msp_id, tenant_id, id, reading_id, object_id, facts, group_ids)
       select $1, $2, p.id, $3, p.object_id, p.facts, array[$4::uuid] from unnest($5::uuid[], $6::uuid[], $7::jsonb[]) as p (id, object_id, facts)
       on conflict (msp_id, reading_id, object_id) do update set facts = excluded.facts,
         group_ids = f.group_ids || case when f.group_ids @> excluded.group_ids then '{}' else excluded.group_ids end`,
      [
        ...[reading.mspId, reading.tenantId, reading.id, groupId, people.map(() => newId())],
        ...[people.map(({ id }) => id), people.map(({ facts }) => JSON.stringify(facts))],
      ],
    );
  }

  /** Object ids of people who are here by the source, and of whom the reading knows nothing yet. */
  async unread(tx: SystemTx, reading: Reading, most: number): Promise<string[]> {
    const rows = await tx.query<{ objectId: string }>(
      `select p.object_id as "objectId" from user_source_person p
       where p.msp_id = $1 and p.tenant_id = $2 and p.told ->> 'present' = 'true' and not exists (select 1 from user_source_found f
         where f.msp_id = p.msp_id and f.reading_id = $3 and f.object_id = p.object_id) order by p.object_id limit $4`,
      [reading.mspId, reading.tenantId, reading.id, most],
    );
    return rows.map(({ objectId }) => objectId);
  }

  /** Adds people who are in none of the groups; without facts: who are not there at all any more. */
  async addApart(tx: SystemTx, reading: Reading, people: readonly { id: string; facts: PersonFacts | null }[]): Promise<void> {
    await tx.query(
      `insert into user_source_found (msp_id, tenant_id, id, reading_id, object_id, apart, gone, group_ids)
       select $1, $2, p.id, $3, p.object_id, p.facts, p.facts is null, '{}' from unnest($4::uuid[], $5::uuid[], $6::jsonb[]) as p (id, object_id, facts)
       on conflict (msp_id, reading_id, object_id) do nothing`,
      [
        ...[reading.mspId, reading.tenantId, reading.id, people.map(() => newId()), people.map(({ id }) => id)],
        people.map(({ facts }) => (facts === null ? null : JSON.stringify(facts))),
      ],
    );
  }

  /** Adds those who are known and whom the reading has not found. */
  async addMissing(tx: SystemTx, reading: Reading): Promise<void> {
    await tx.query(
      `insert into user_source_found (msp_id, tenant_id, id, reading_id, object_id, facts, group_ids)
       select p.msp_id, p.tenant_id, p.id, $3, p.object_id, null, '{}' from user_source_person p
       where p.msp_id = $1 and p.tenant_id = $2 and not exists (select 1 from user_source_found f
         where f.msp_id = p.msp_id and f.reading_id = $3 and f.object_id = p.object_id)`,
      [reading.mspId, reading.tenantId, reading.id],
    );
  }

  /** The next people in the order of their object ids, with what is known of them. */
  async next(tx: SystemTx, reading: Reading, most: number): Promise<Compared[]> {
    return tx.query<Compared>(
      `select f.object_id as "objectId", f.facts, f.apart, f.gone, f.group_ids as "groupIds", p.facts as "knownFacts", coalesce(p.deleted, false) as deleted,
         p.told_at as "toldAt", p.told, coalesce(p.version, 0) as version,
         exists (select 1 from protected_account x where x.msp_id = f.msp_id and x.tenant_id = f.tenant_id and x.object_id = f.object_id::text)
           as "isProtected"
       from user_source_found f left join user_source_person p
         on p.msp_id = f.msp_id and p.tenant_id = f.tenant_id and p.object_id = f.object_id
       where f.msp_id = $1 and f.reading_id = $2 and ($3::uuid is null or f.object_id > $3) order by f.object_id limit $4`,
      [reading.mspId, reading.id, reading.through, most],
    );
  }

  async setChanges(
    tx: SystemTx,
    reading: Reading,
    changes: readonly { objectId: string; kind: ChangeKind; wanted: Wanted | null; why: SkipReason | null }[],
  ): Promise<void> {
    await tx.query(
      `update user_source_found f set change = c.change, wanted = c.wanted, why = c.why
       from unnest($3::uuid[], $4::text[], $5::jsonb[], $6::text[]) as c (object_id, change, wanted, why)
       where f.msp_id = $1 and f.reading_id = $2 and f.object_id = c.object_id`,
      [
        ...[reading.mspId, reading.id, changes.map(({ objectId }) => objectId), changes.map(({ kind }) => kind)],
        ...[changes.map(({ wanted }) => (wanted === null ? null : JSON.stringify(wanted))), changes.map(({ why }) => why)],
      ],
    );
  }

  async counts(tx: Tx, reading: Reading): Promise<Counts> {
    const [row] = await tx.query<{ counts: Counts }>(
      `select json_build_object(${(['SAME', 'ADDED', 'CHANGED', 'LEAVES', 'RETURNS', 'SKIPPED'] satisfies ChangeKind[])
        .map((kind) => `'${kind}', count(*) filter (where f.change = '${kind}')`)
        .join(', ')}, 'left', count(*) filter (where f.change = 'LEAVES' and f.facts is null),
         'conflicts', count(*) filter (where f.change in ('ADDED', 'CHANGED', 'RETURNS') and ${conflictOf} is not null)) as counts
       from user_source_found f where f.msp_id = $1 and f.reading_id = $2`,
      [reading.mspId, reading.id],
    );
    if (row === undefined) throw new Error('Nothing was counted.');
    return row.counts;
  }

  /** People whom a reading would change or skips, one more than the page. */
  async changes(tx: Tx, mspId: Id, readingId: Id, page: PageRequest): Promise<FoundChange[]> {
    return tx.query<FoundChange>(
      `select f.id, f.object_id as "objectId", f.change as kind, coalesce(f.wanted ->> 'email', f.facts ->> 'mail', f.facts ->> 'upn') as email,
         coalesce(f.wanted ->> 'displayName', f.facts ->> 'name') as "displayName",
         coalesce((select array_agg(g.id) from jsonb_array_elements_text(f.wanted -> 'groupIds') as g (id)), '{}') as "groupIds",
         coalesce((select array_agg(r.role) from jsonb_array_elements_text(f.wanted -> 'roles') as r (role)), '{}') as roles,
         f.why, ${conflictOf} as conflict
       from user_source_found f where f.msp_id = $1 and f.reading_id = $2 and f.change <> 'SAME' and ($3::uuid is null or f.id > $3)
       order by f.id limit $4`,
      [mspId, readingId, page.after, page.first + 1],
    );
  }
}
