import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, TenantTx, Tx } from '@stint/tenancy';
import { mayHaveAccess } from '../account/account.repository.ts';
import { noDependents, type Dependents } from './dependent.domain.ts';

/** What lives on by a connection, beside access: break-glass accounts and the user source. */
@Injectable()
export class DependentRepository {
  /** Of several tenants; one without any is not in the answer. */
  async several(tx: Tx, mspId: Id, tenantIds: readonly Id[]): Promise<Map<Id, Dependents>> {
    const found = new Map<Id, Dependents>();
    const of = (tenantId: Id): Dependents => found.get(tenantId) ?? noDependents;
    const accounts = await tx.query<{ tenantId: Id; name: string; entraTenantId: string | null }>(
      `select tenant_id as "tenantId", user_principal_name as name, entra_tenant_id as "entraTenantId" from break_glass_account
       where msp_id = $1 and tenant_id = any($2) and registered order by id`,
      [mspId, tenantIds],
    );
    for (const { tenantId, ...account } of accounts)
      found.set(tenantId, { ...of(tenantId), breakGlassAccounts: [...of(tenantId).breakGlassAccounts, account] });
    const sources = await tx.query<{ tenantId: Id; entraTenantId: string | null; people: number }>(
      `select s.tenant_id as "tenantId", s.entra_tenant_id as "entraTenantId",
         (select count(*)::int from user_source_person p
          where p.msp_id = s.msp_id and p.tenant_id = s.tenant_id and p.told ->> 'present' = 'true') as people
       from user_source s where s.msp_id = $1 and s.tenant_id = any($2) and s.is_on`,
      [mspId, tenantIds],
    );
    for (const { tenantId, ...source } of sources) found.set(tenantId, { ...of(tenantId), source });
    const left = await tx.query<{ tenantId: Id; entraTenantId: string; accounts: number; roles: string[] }>(
      `select a.tenant_id as "tenantId", a.left_in as "entraTenantId", count(distinct a.id) filter (where a.kind = 'JIT')::int as accounts,
         coalesce(array_agg(distinct format('%s from %s', own.role_name, coalesce(a.user_principal_name, 'an account that was not found')))
           filter (where own.id is not null), '{}') as roles
       from entra_account a left join entra_grant own on own.msp_id = a.msp_id and own.account_id = a.id
         and a.kind = 'OWN' and own.phase in ('BEGINNING', 'ACTIVE', 'ENDING')
       where a.msp_id = $1 and a.tenant_id = any($2) and a.left_in is not null and ${mayHaveAccess}
       group by a.tenant_id, a.left_in order by a.left_in`,
      [mspId, tenantIds],
    );
    for (const { tenantId, ...one } of left) found.set(tenantId, { ...of(tenantId), leftBehind: [...of(tenantId).leftBehind, one] });
    return found;
  }

  /** Has them looked at now: the connection has ended, so that they say so, or works again, so that they go on. */
  async lookNow(tx: TenantTx | SystemTx, mspId: Id, tenantId: Id, now: Date): Promise<void> {
    const values = [mspId, tenantId, now];
    await tx.query(
      `update break_glass_account set due_at = $3, failures = 0, changes = changes + 1
       where msp_id = $1 and tenant_id = $2 and registered`,
      values,
    );
    // A round that is at the groups begins anew: somebody may have been disabled since. Whoever works on it finds that it has changed.
    await tx.query(
      `update user_source set round = 'USERS', due_at = $3, attempts = 0, leased_until = null, fence = fence + 1
       where msp_id = $1 and tenant_id = $2 and is_on`,
      values,
    );
  }
}
