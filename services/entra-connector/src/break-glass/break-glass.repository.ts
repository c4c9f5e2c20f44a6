import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, TenantTx, Tx } from '@stint/tenancy';
import { columnsOf, patchOf } from '../grant/columns.ts';
import type { BreakGlassAccount, Candidate } from './break-glass.domain.ts';

const columns = columnsOf<BreakGlassAccount>({
  ...{
    mspId: 'msp_id',
    tenantId: 'tenant_id',
    id: 'id',
    objectId: 'object_id',
    entraTenantId: 'entra_tenant_id',
    userPrincipalName: 'user_principal_name',
  },
  ...{ displayName: 'display_name', registered: 'registered', registeredAt: 'registered_at', version: 'version', toldAt: 'told_at' },
  ...{ dueFence: 'due_fence', vaultKey: 'vault_key', policy: 'policy', versionId: 'version_id' },
  ...{ passwordChangedAt: 'password_changed_at', tampered: 'tampered', problem: 'problem', dueAt: 'due_at', failures: 'failures' },
  ...{ changes: 'changes', fence: 'fence', leaseUntil: 'lease_until' },
});
const candidateColumns = columnsOf<Candidate>({
  ...{ mspId: 'msp_id', tenantId: 'tenant_id', id: 'id', accountId: 'account_id', fence: 'fence', state: 'state' },
  ...{ vaultKeyId: 'vault_key_id', enc: 'enc', ciphertext: 'ciphertext', wrapped: 'wrapped', nextFence: 'next_fence' },
  ...{ calledAt: 'called_at', changedBefore: 'changed_before' },
});

/** An account that somebody works on. */
export type Claim = Pick<BreakGlassAccount, 'mspId' | 'tenantId' | 'id' | 'fence'>;

/** Break-glass accounts, and their new passwords on the way. */
@Injectable()
export class BreakGlassRepository {
  async find(tx: Tx, mspId: Id, id: Id): Promise<BreakGlassAccount | null> {
    const [row] = await tx.query<BreakGlassAccount>(`select ${columns.all} from break_glass_account where msp_id = $1 and id = $2`, [
      mspId,
      id,
    ]);
    return row ?? null;
  }

  async locked(tx: Tx, mspId: Id, id: Id): Promise<BreakGlassAccount | null> {
    const sql = `select ${columns.all} from break_glass_account where msp_id = $1 and id = $2 for update`;
    return (await tx.query<BreakGlassAccount>(sql, [mspId, id]))[0] ?? null;
  }

  /** Those of a tenant, in the order in which they were registered first. Removed ones only on wish. */
  async ofTenant(tx: Tx, mspId: Id, tenantId: Id, withRemoved: boolean): Promise<BreakGlassAccount[]> {
    return tx.query<BreakGlassAccount>(
      `select ${columns.all} from break_glass_account where msp_id = $1 and tenant_id = $2 and (registered or $3) order by id`,
      [mspId, tenantId, withRemoved],
    );
  }

  /** From here on other registrations in this tenant wait: it has so many accounts at most. */
  async holdTenant(tx: TenantTx, tenantId: Id): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('break-glass:' || $1, 0))`, [tenantId]);
  }

  async add(tx: Tx, account: BreakGlassAccount): Promise<void> {
    const names = Object.keys(columns.names) as (keyof BreakGlassAccount)[];
    await tx.query(
      `insert into break_glass_account (${names.map((name) => columns.names[name]).join(', ')}) values (${names.map((_, at) => `$${at + 1}`).join(', ')})`,
      names.map((name) => asParameter(account[name])),
    );
  }

  async save(tx: Tx, { mspId, id }: Pick<BreakGlassAccount, 'mspId' | 'id'>, patch: Partial<BreakGlassAccount>): Promise<void> {
    const { sets, values } = patchOf(columns, patch, 3);
    await tx.query(`update break_glass_account set ${sets} where msp_id = $1 and id = $2`, [mspId, id, ...values.map(asParameter)]);
  }

  /** Whether Stint gives, or has yet to take back, access of this account by grants. */
  async hasGrants(tx: Tx, mspId: Id, tenantId: Id, objectId: string): Promise<boolean> {
    const rows = await tx.query(
      `select 1 from entra_account a join entra_grant g on g.msp_id = a.msp_id and g.account_id = a.id
       where a.msp_id = $1 and a.tenant_id = $2 and a.object_id = $3 and g.phase not in ('ENDED', 'FAILED') limit 1`,
      [mspId, tenantId, objectId],
    );
    return rows.length > 0;
  }

  /** Takes accounts whose time has come. They are this caller's until `leaseUntil`, or until somebody takes them with a higher fence number after that. */
  async claim(tx: SystemTx, now: Date, leaseUntil: Date, limit: number): Promise<Claim[]> {
    return tx.query<Claim>(
      `update break_glass_account set fence = fence + 1, lease_until = $2 where (msp_id, id) in (
         select msp_id, id from break_glass_account where due_at <= $1 and (lease_until is null or lease_until <= $1)
         order by due_at limit $3 for update skip locked)
       returning msp_id as "mspId", tenant_id as "tenantId", id, fence`,
      [now, leaseUntil, limit],
    );
  }

  /** The account, locked, while the claim holds; null when somebody else has taken it. */
  async held(tx: SystemTx, { mspId, id, fence }: Claim): Promise<BreakGlassAccount | null> {
    const account = await this.locked(tx, mspId, id);
    return account?.fence === fence && account.leaseUntil !== null ? account : null;
  }

  async candidateOf(tx: Tx, mspId: Id, accountId: Id): Promise<Candidate | null> {
    const sql = `select ${candidateColumns.all} from break_glass_candidate where msp_id = $1 and account_id = $2`;
    return (await tx.query<Candidate>(sql, [mspId, accountId]))[0] ?? null;
  }

  async addCandidate(tx: SystemTx, candidate: Candidate): Promise<void> {
    const names = Object.keys(candidateColumns.names) as (keyof Candidate)[];
    await tx.query(
      `insert into break_glass_candidate (${names.map((name) => candidateColumns.names[name]).join(', ')}) values (${names.map((_, at) => `$${at + 1}`).join(', ')})`,
      names.map((name) => candidate[name]),
    );
  }

  async saveCandidate(tx: SystemTx, { mspId, id }: Candidate, patch: Partial<Candidate>): Promise<void> {
    const { sets, values } = patchOf(candidateColumns, patch, 3);
    await tx.query(`update break_glass_candidate set ${sets} where msp_id = $1 and id = $2`, [mspId, id, ...values]);
  }

  async removeCandidate(tx: Tx, mspId: Id, accountId: Id): Promise<void> {
    await tx.query('delete from break_glass_candidate where msp_id = $1 and account_id = $2', [mspId, accountId]);
  }
}

/** What goes into a `jsonb` column as text. */
function asParameter(value: unknown): unknown {
  return value !== null && typeof value === 'object' && !(value instanceof Date) ? JSON.stringify(value) : value;
}
