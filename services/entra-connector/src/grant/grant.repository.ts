import { Injectable } from '@nestjs/common';
import type { Payload } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { SystemTx, TenantTx, Tx } from '@stint/tenancy';
import { columnsOf, patchOf } from './columns.ts';
import type { EntraGrant } from './grant.domain.ts';

const columns = columnsOf<EntraGrant>({
  ...{ mspId: 'msp_id', tenantId: 'tenant_id', id: 'id', accountId: 'account_id', technicianId: 'technician_id', wanted: 'wanted' },
  ...{ roleName: 'role_name', scope: 'scope', accountKind: 'account_kind', recipientKey: 'recipient_key' },
  ...{
    reason: 'reason',
    ticket: 'ticket',
    sessionSeconds: 'session_seconds',
    activateBy: 'activate_by',
    expiresAt: 'expires_at',
    phase: 'phase',
  },
  ...{ roleDefinitionId: 'role_definition_id', endsByItself: 'ends_by_itself', credentialKind: 'credential_kind' },
  ...{ passMinutes: 'pass_minutes', passOnce: 'pass_once', notice: 'notice', assignAskedAt: 'assign_asked_at' },
  ...{ assignmentKind: 'assignment_kind', assignmentId: 'assignment_id', builtInEndsAt: 'built_in_ends_at' },
  ...{ credentialAt: 'credential_at', passId: 'pass_id', credentialEndsAt: 'credential_ends_at', enc: 'enc', ciphertext: 'ciphertext' },
  ...{ collectedAt: 'collected_at', activeAt: 'active_at', endingSince: 'ending_since', endedAt: 'ended_at', stuckAt: 'stuck_at' },
  ...{ failure: 'failure', reportVersion: 'report_version' },
});
const open = `phase in ('BEGINNING', 'ACTIVE', 'ENDING')`;

/** Grants of access in Entra. */
@Injectable()
export class GrantRepository {
  /** Keeps what is wanted if the message is newer; false when it is old. */
  async saveWanted(tx: SystemTx, accountId: Id, grant: Payload<'entra-grant-changed'>, now: Date): Promise<boolean> {
    const rows = await tx.query(
      `insert into entra_grant (msp_id, tenant_id, id, technician_id, account_id, wanted, role_name, scope, account_kind, recipient_key,
         session_seconds, activate_by, expires_at, version, reason, ticket)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $16, $17)
       on conflict (msp_id, id) do update set wanted = excluded.wanted, session_seconds = excluded.session_seconds,
         expires_at = excluded.expires_at, version = excluded.version,
         ending_since = case when excluded.wanted then entra_grant.ending_since else coalesce(entra_grant.ending_since, $15) end
       where entra_grant.version < excluded.version returning id`,
      [
        ...[grant.mspId, grant.tenantId, grant.grantId, grant.technicianId, accountId, grant.wanted, grant.roleName, grant.scope],
        ...[grant.accountKind, grant.recipientKey, grant.sessionSeconds, grant.activateBy, grant.expiresAt, grant.version, now],
        ...[grant.reason ?? null, grant.ticket ?? null],
      ],
    );
    return rows.length === 1;
  }

  async find(tx: Tx, mspId: Id, id: Id): Promise<EntraGrant | null> {
    const [row] = await tx.query<EntraGrant>(`select ${columns.all} from entra_grant where msp_id = $1 and id = $2`, [mspId, id]);
    return row ?? null;
  }

  /** The grants of an account that are not concluded. */
  async openOf(tx: SystemTx, mspId: Id, accountId: Id): Promise<EntraGrant[]> {
    return tx.query<EntraGrant>(`select ${columns.all} from entra_grant where msp_id = $1 and account_id = $2 and ${open} order by id`, [
      mspId,
      accountId,
    ]);
  }

  /** Open grants that should have been gone by `at`, and of which that was not told yet. */
  async overdue(tx: SystemTx, at: Date, limit: number): Promise<EntraGrant[]> {
    return tx.query<EntraGrant>(
      `select ${columns.all} from entra_grant
       where ${open} and stuck_at is null
         and coalesce(ending_since, expires_at, active_at + session_seconds * interval '1 second', activate_by) <= $1
       order by id limit $2 for update skip locked`,
      [at, limit],
    );
  }

  async save(tx: TenantTx | SystemTx, { mspId, id }: Pick<EntraGrant, 'mspId' | 'id'>, patch: Partial<EntraGrant>): Promise<void> {
    const { sets, values } = patchOf(columns, patch, 3);
    await tx.query(`update entra_grant set ${sets} where msp_id = $1 and id = $2`, [mspId, id, ...values]);
  }

  /** Ends every open grant of a tenant, for the reason that is told with its end. */
  async failAll(tx: TenantTx | SystemTx, mspId: Id, tenantId: Id, failure: string): Promise<void> {
    await tx.query(`update entra_grant set failure = coalesce(failure, $3) where msp_id = $1 and tenant_id = $2 and ${open}`, [
      mspId,
      tenantId,
      failure,
    ]);
  }
}
