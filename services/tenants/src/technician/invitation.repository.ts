import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';

export interface Invitation {
  mspId: Id;
  tenantId: Id;
  technicianId: Id;
  expiresAt: Date;
}

/** One-time links, by the hashes of their tokens. */
@Injectable()
export class InvitationRepository {
  /** Makes or replaces a technician's invitation; an earlier link ends. */
  async put(tx: Tx, invitation: Invitation, tokenHash: Buffer): Promise<void> {
    const { mspId, tenantId, technicianId, expiresAt } = invitation;
    await tx.query(
      `insert into invitation (msp_id, tenant_id, id, token_hash, expires_at) values ($1, $2, $3, $4, $5)
       on conflict (msp_id, id) do update set token_hash = excluded.token_hash, expires_at = excluded.expires_at`,
      [mspId, tenantId, technicianId, tokenHash, expiresAt],
    );
  }

  /** An invitation that can still be redeemed. */
  async find(tx: SystemTx, tokenHash: Buffer, now: Date): Promise<Invitation | null> {
    const [row] = await tx.query<{ msp_id: Id; tenant_id: Id; id: Id; expires_at: Date }>(
      'select msp_id, tenant_id, id, expires_at from invitation where token_hash = $1 and redeemed_at is null and expires_at > $2',
      [tokenHash, now],
    );
    return row === undefined ? null : { mspId: row.msp_id, tenantId: row.tenant_id, technicianId: row.id, expiresAt: row.expires_at };
  }

  /** True when this is the first-administrator link. */
  async isFirstLink(tx: SystemTx, tokenHash: Buffer): Promise<boolean> {
    return (await tx.query('select 1 from first_link where token_hash = $1', [tokenHash])).length > 0;
  }

  /** Uses an invitation up; null when it is unknown, used or over. Of many at once, one gets it. */
  async redeem(tx: SystemTx, tokenHash: Buffer, now: Date): Promise<Invitation | null> {
    const [row] = await tx.query<{ msp_id: Id; tenant_id: Id; id: Id; expires_at: Date }>(
      `update invitation set redeemed_at = $2 where token_hash = $1 and redeemed_at is null and expires_at > $2 returning msp_id, tenant_id, id, expires_at`,
      [tokenHash, now],
    );
    return row === undefined ? null : { mspId: row.msp_id, tenantId: row.tenant_id, technicianId: row.id, expiresAt: row.expires_at };
  }

  /** Sets the link that makes the first administrator; an earlier one ends. */
  async putFirstLink(tx: SystemTx, tokenHash: Buffer): Promise<void> {
    await tx.query('insert into first_link (token_hash) values ($1) on conflict (single) do update set token_hash = excluded.token_hash', [
      tokenHash,
    ]);
  }

  /** Uses the first-administrator link up; false when this is not it. */
  async redeemFirstLink(tx: SystemTx, tokenHash: Buffer): Promise<boolean> {
    return (await tx.query('delete from first_link where token_hash = $1 returning single', [tokenHash])).length > 0;
  }
}
