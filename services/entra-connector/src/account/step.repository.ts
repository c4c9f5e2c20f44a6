import { Injectable } from '@nestjs/common';
import { newId, type Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { EntraAccount } from './account.domain.ts';
import type { Step } from './step.domain.ts';

export type StepOutcome = 'DONE' | 'REFUSED' | 'UNKNOWN';

/** A step that was taken in Entra. */
export interface TakenStep {
  id: Id;
  kind: Step['do'];
  beganAt: Date;
  endedAt: Date | null;
  /** Null: it is under way, or nobody saw its end. */
  outcome: StepOutcome | null;
  detail: string | null;
}

/** Steps in Entra: the intent before the call, the outcome after it. */
@Injectable()
export class StepRepository {
  async begin(
    tx: SystemTx,
    { mspId, tenantId, id: accountId }: EntraAccount,
    kind: Step['do'],
    grantId: Id | null,
    now: Date,
  ): Promise<Id> {
    const id = newId();
    await tx.query(
      'insert into entra_step (msp_id, tenant_id, id, account_id, grant_id, kind, began_at) values ($1, $2, $3, $4, $5, $6, $7)',
      [...[mspId, tenantId, id, accountId, grantId, kind, now]],
    );
    return id;
  }

  async end(tx: SystemTx, mspId: Id, id: Id, outcome: StepOutcome, detail: string | null, now: Date): Promise<void> {
    await tx.query('update entra_step set outcome = $3, detail = $4, ended_at = $5 where msp_id = $1 and id = $2', [
      ...[mspId, id, outcome, detail?.slice(0, 500) ?? null, now],
    ]);
  }

  /** What was done for a grant, and about its account meanwhile. */
  async ofGrant(tx: Tx, mspId: Id, grant: { id: Id; accountId: Id }, from: Date | null, to: Date | null): Promise<TakenStep[]> {
    return tx.query<TakenStep>(
      `select id, kind, began_at as "beganAt", ended_at as "endedAt", outcome, detail from entra_step
       where msp_id = $1 and account_id = $2 and (grant_id = $3 or (grant_id is null and began_at >= $4 and ($5::timestamptz is null or began_at <= $5)))
       order by id limit 200`,
      [mspId, grant.accountId, grant.id, from, to],
    );
  }
}
