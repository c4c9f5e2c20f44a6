import { Injectable } from '@nestjs/common';
import { newId, type Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { PersonFacts, Wanted } from './person.domain.ts';
import type { UserSource } from './source.domain.ts';

/** A person of a source, and what services/tenants was told of them. */
export interface KnownPerson {
  objectId: string;
  facts: PersonFacts;
  deleted: boolean;
  groupIds: string[];
  /** A break-glass account: never a technician. */
  isProtected: boolean;
  toldAt: Date | null;
  told: Wanted | null;
  version: number;
}
type Place = Pick<UserSource, 'mspId' | 'tenantId'>;
const columns = `p.object_id as "objectId", p.facts, p.deleted, p.group_ids as "groupIds", p.told_at as "toldAt", p.told, p.version,
  exists (select 1 from protected_account x where x.msp_id = p.msp_id and x.tenant_id = p.tenant_id and x.object_id = p.object_id::text) as "isProtected"`;

/** People of user sources. */
@Injectable()
export class PersonRepository {
  async ofObjects(tx: SystemTx, { mspId, tenantId }: Place, objectIds: readonly string[]): Promise<KnownPerson[]> {
    return tx.query<KnownPerson>(
      `select ${columns} from user_source_person p where p.msp_id = $1 and p.tenant_id = $2 and p.object_id = any($3)`,
      [mspId, tenantId, objectIds],
    );
  }

  async save(tx: SystemTx, { mspId, tenantId }: Place, people: readonly KnownPerson[]): Promise<void> {
    await tx.query(
      `insert into user_source_person as p (msp_id, tenant_id, id, object_id, facts, deleted, told_at, told, version, group_ids)
       select $1, $2, n.id, n.object_id, n.facts, n.deleted, n.told_at, n.told, n.version,
         array(select jsonb_array_elements_text(n.group_ids)::uuid)
       from unnest($3::uuid[], $4::uuid[], $5::jsonb[], $6::boolean[], $7::timestamptz[], $8::jsonb[], $9::int[], $10::jsonb[])
         as n (id, object_id, facts, deleted, told_at, told, version, group_ids)
       on conflict (msp_id, tenant_id, object_id) do update set facts = excluded.facts, deleted = excluded.deleted,
         told_at = excluded.told_at, told = excluded.told, version = excluded.version, group_ids = excluded.group_ids`,
      [
        ...[mspId, tenantId, people.map(() => newId()), people.map(({ objectId }) => objectId)],
        ...[people.map(({ facts }) => JSON.stringify(facts)), people.map(({ deleted }) => deleted), people.map(({ toldAt }) => toldAt)],
        ...[people.map(({ told }) => (told === null ? null : JSON.stringify(told))), people.map(({ version }) => version)],
        people.map(({ groupIds }) => JSON.stringify(groupIds)),
      ],
    );
  }

  /** How many people are here by the source now. */
  async present(tx: Tx, { mspId, tenantId }: Place): Promise<number> {
    const [row] = await tx.query<{ people: number }>(
      `select count(*)::int as people from user_source_person where msp_id = $1 and tenant_id = $2 and told ->> 'present' = 'true'`,
      [mspId, tenantId],
    );
    return row?.people ?? 0;
  }

  /** People whom the source has yet to let go of. */
  async held(tx: SystemTx, { mspId, tenantId }: Place, most: number): Promise<KnownPerson[]> {
    return tx.query<KnownPerson>(
      `select ${columns} from user_source_person p where p.msp_id = $1 and p.tenant_id = $2 and p.told is not null
       order by p.object_id limit $3`,
      [mspId, tenantId, most],
    );
  }

  /** Forgets who is gone for good and was told of as such. Their versions must not begin anew, so only the rows of strangers go. */
  async forgetStrangers(tx: SystemTx, { mspId, tenantId }: Place): Promise<void> {
    await tx.query('delete from user_source_person where msp_id = $1 and tenant_id = $2 and version = 0 and group_ids = $3', [
      ...[mspId, tenantId, [] as Id[]],
    ]);
  }
}
