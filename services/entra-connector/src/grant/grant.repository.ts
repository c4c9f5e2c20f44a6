import { Injectable } from '@nestjs/common';
import type { Payload } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';

/** Grants of access in Entra. */
@Injectable()
export class GrantRepository {
  /** Keeps what is wanted if the message is newer; false when it is old. */
  async saveWanted(tx: SystemTx, grant: Payload<'entra-grant-changed'>): Promise<boolean> {
    const rows = await tx.query(
      `insert into entra_grant (msp_id, tenant_id, id, technician_id, wanted, role_name, scope, account_kind, recipient_key, session_seconds,
         activate_by, expires_at, version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
       on conflict (msp_id, id) do update set wanted = excluded.wanted, session_seconds = excluded.session_seconds,
         expires_at = excluded.expires_at, version = excluded.version
       where entra_grant.version < excluded.version returning id`,
      [
        ...[grant.mspId, grant.tenantId, grant.grantId, grant.technicianId, grant.wanted, grant.roleName, grant.scope, grant.accountKind],
        ...[grant.recipientKey, grant.sessionSeconds, grant.activateBy, grant.expiresAt, grant.version],
      ],
    );
    return rows.length === 1;
  }

  /** How many grants of a tenant are wanted. */
  async countWanted(tx: Tx, mspId: Id, tenantId: Id): Promise<number> {
    const sql = 'select count(*)::int as wanted from entra_grant where msp_id = $1 and tenant_id = $2 and wanted';
    const [row] = await tx.query<{ wanted: number }>(sql, [mspId, tenantId]);
    return row?.wanted ?? 0;
  }
}
