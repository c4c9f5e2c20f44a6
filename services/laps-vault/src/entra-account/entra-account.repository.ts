import { Injectable } from '@nestjs/common';
import type { Payload } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';
import type { LapsAccount } from '../account/account.domain.ts';

/** What accounts in Entra have beside what all break-glass accounts have. */
@Injectable()
export class EntraAccountRepository {
  /** Adds the account if it is not there yet. */
  async add(tx: SystemTx, told: Payload<'entra-break-glass-changed'>, now: Date): Promise<void> {
    await tx.query(
      `insert into laps_account (msp_id, tenant_id, id, kind, name, wanted, told_version, created_at)
       values ($1, $2, $3, 'ENTRA', $4, $5, 0, $6) on conflict (msp_id, id) do nothing`,
      [told.mspId, told.tenantId, told.accountId, told.userPrincipalName, told.registered, now],
    );
  }

  /** Notes that this version of what is told is known here; false for one that is not newer. */
  async noteTold(tx: SystemTx, { mspId, accountId, version }: Payload<'entra-break-glass-changed'>): Promise<boolean> {
    const rows = await tx.query(
      'update laps_account set told_version = $3 where msp_id = $1 and id = $2 and told_version < $3 returning id',
      [mspId, accountId, version],
    );
    return rows.length === 1;
  }

  async setName(tx: SystemTx, { mspId, id, name, wanted }: LapsAccount): Promise<void> {
    await tx.query('update laps_account set name = $3, wanted = $4 where msp_id = $1 and id = $2', [mspId, id, name, wanted]);
  }

  /** Accounts whose password is to be changed now, of which nobody was told since `toldBefore`; a check-out keeps back what is only planned. */
  async due(tx: SystemTx, now: Date, toldBefore: Date, limit: number): Promise<{ mspId: Id; tenantId: Id; id: Id }[]> {
    return tx.query(
      `select a.msp_id as "mspId", a.tenant_id as "tenantId", a.id from laps_account a
       where a.wanted and a.kind = 'ENTRA' and (a.due_told_at is null or a.due_told_at < $2)
         and (a.rotate_at <= $1 or (a.confirmed_at is null or a.due_at <= $1) and not exists (
           select 1 from laps_check_out c where c.msp_id = a.msp_id and c.account_id = a.id and c.ended_at is null))
         and exists (select 1 from laps_settings s where s.msp_id = a.msp_id and s.id = a.tenant_id)
       order by a.due_told_at nulls first limit $3`,
      [now, toldBefore, limit],
    );
  }

  /** Notes when services/entra-connector was told, or took the change up; null: tell it as soon as one is due. */
  async setDueTold(tx: SystemTx, mspId: Id, id: Id, at: Date | null): Promise<void> {
    await tx.query('update laps_account set due_told_at = $3 where msp_id = $1 and id = $2', [mspId, id, at]);
  }

  /** The same, for one whose turn nobody else has noted since `toldBefore`; false otherwise. */
  async claimDue(tx: SystemTx, mspId: Id, id: Id, toldBefore: Date, at: Date): Promise<boolean> {
    const rows = await tx.query(
      `update laps_account set due_told_at = $4 where msp_id = $1 and id = $2 and wanted and (due_told_at is null or due_told_at < $3) returning id`,
      [mspId, id, toldBefore, at],
    );
    return rows.length === 1;
  }
}
