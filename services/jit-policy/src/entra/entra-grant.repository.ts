import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import { isInEntra, type EntraGrant } from '../grant/grant.domain.ts';
import { asGrant, columns, type GrantRow } from '../grant/grant-row.ts';

/** Grants of access in Entra, each locked by its own row. */
export class EntraGrantRepository {
  async locked(tx: Tx, mspId: Id, id: Id): Promise<EntraGrant | null> {
    const rows = await tx.query<GrantRow>(
      `select ${columns} from jit_grant where msp_id = $1 and id = $2 and target = 'ENTRA' for update`,
      [mspId, id],
    );
    return inEntra(rows)[0] ?? null;
  }

  /** Grants for which time has come (not activated, expired, an end to remind of), locked; those that somebody else has locked are left to the next round. */
  async due(tx: SystemTx, now: Date, limit: number): Promise<EntraGrant[]> {
    const rows = await tx.query<GrantRow>(
      `select ${columns} from jit_grant
       where target = 'ENTRA' and (msp_id, id) in (
         (select msp_id, id from jit_grant where target = 'ENTRA' and state = 'APPROVED' and activate_by <= $1 order by activate_by limit $2)
         union all (select msp_id, id from jit_grant where target = 'ENTRA' and state = 'ACTIVE' and expires_at <= $1 order by expires_at limit $2)
         union all (select msp_id, id from jit_grant
           where target = 'ENTRA' and state in ('ENDING', 'END_STUCK') and nudge_at <= $1 order by nudge_at limit $2))
       limit $2 for update skip locked`,
      [now, limit],
    );
    return inEntra(rows);
  }

  /** Ids of the technician's live grants in Entra and of what they wait for there, in the order in which they are to be locked. */
  async idsOfLiveAndWaiting(tx: SystemTx, mspId: Id, technicianId: Id): Promise<Id[]> {
    const rows = await tx.query<{ id: Id }>(
      `select id from jit_grant where msp_id = $1 and technician_id = $2 and target = 'ENTRA' and state in ('APPROVED', 'ACTIVE')
       union select id from access_request where msp_id = $1 and technician_id = $2 and target = 'ENTRA' and state = 'PENDING' order by id`,
      [mspId, technicianId],
    );
    return rows.map(({ id }) => id);
  }
}

function inEntra(rows: GrantRow[]): EntraGrant[] {
  return rows.map(asGrant).filter(isInEntra);
}
