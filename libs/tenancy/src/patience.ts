import { setTimeout as delay } from 'node:timers/promises';
import { idTime, isId, notFound, Problem, type Clock, type Id } from '@stint/kernel';
import type { Actor } from '@stint/contracts';
import type { Tenancy, TenantTx } from './tenancy.ts';

const patienceMs = 5_000;
const firstPauseMs = 5;
const longestPauseMs = 50;
const freshSeconds = 330;
const aheadSeconds = 300;

/** True while a thing with this id may be so new that the message about it is still on its way: made within 5½ minutes, by clocks that differ by up to 5. */
export function mayStillArrive(id: Id, now: Date): boolean {
  const ageSeconds = (now.getTime() - idTime(id).getTime()) / 1000;
  return ageSeconds <= freshSeconds && ageSeconds >= -aheadSeconds;
}

/**
 * Something is not in a service's copies of what others own. `answer` is what the caller gets in the end; while one of
 * `ids` is so new that its message may be on the way, `patiently` tries again first.
 */
export class CopyMissing extends Error {
  readonly ids: readonly Id[];
  readonly answer: Error;

  constructor(ids: readonly Id[], answer: Error) {
    super(answer.message);
    this.name = 'CopyMissing';
    this.ids = ids;
    this.answer = answer;
  }
}

/**
 * Runs `attempt` again while it throws `CopyMissing` about a fresh id, for up to 5 s; each attempt is its own
 * transaction and none is open in between. Unknown and foreign ids wait alike, old ones not at all.
 */
export async function patiently<T>(clock: Clock, attempt: () => Promise<T>): Promise<T> {
  const started = performance.now();
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 1.5)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof CopyMissing)) throw error;
      const now = clock.now();
      if (performance.now() - started >= patienceMs || !error.ids.some((id) => mayStillArrive(id, now))) throw error.answer;
      await delay(pauseMs);
    }
  }
}

/** `Tenancy.inTenant`, which throws `CopyMissing` about `ids` with `answer` where the tenant is not known here (yet). */
export async function enterCopied<T>(
  tenancy: Tenancy,
  { actor, tenantId, ids, answer }: { actor: Actor; tenantId: Id; ids: readonly Id[]; answer: Error },
  work: (tx: TenantTx) => Promise<T>,
): Promise<T> {
  let entered = false;
  try {
    return await tenancy.inTenant(actor, tenantId, (tx) => {
      entered = true;
      return work(tx);
    });
  } catch (error) {
    if (entered || !(error instanceof Problem) || error.type !== 'NotFound') throw error;
    throw new CopyMissing(ids, answer);
  }
}

/** `Tenancy.inTenant`, patient with a fresh tenant. Problem `NotFound` when it stays out of reach. */
export async function inCopiedTenant<T>(
  tenancy: Tenancy,
  clock: Clock,
  actor: Actor,
  tenantId: Id,
  work: (tx: TenantTx) => Promise<T>,
): Promise<T> {
  const answer = notFound('tenant');
  if (!isId(tenantId)) throw answer;
  return patiently(clock, () => enterCopied(tenancy, { actor, tenantId, ids: [tenantId], answer }, work));
}

/** Those of `ids` that `look` finds, patient with fresh ones that it does not find at once. */
export async function visiblePatiently(clock: Clock, ids: readonly Id[], look: (ids: readonly Id[]) => Promise<Set<Id>>): Promise<Set<Id>> {
  const wanted = ids.filter(isId);
  if (wanted.length === 0) return new Set();
  let found = new Set<Id>();
  const gone = new Error('Not visible.');
  await patiently(clock, async () => {
    found = await look(wanted);
    const missing = wanted.filter((id) => !found.has(id));
    if (missing.length > 0) throw new CopyMissing(missing, gone);
  }).catch((error: unknown) => {
    if (error !== gone) throw error;
  });
  return found;
}
