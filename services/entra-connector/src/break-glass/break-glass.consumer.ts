import { Inject, Injectable } from '@nestjs/common';
import { addSeconds, type Clock } from '@stint/kernel';
import type { Handler } from '@stint/messaging';
import { CLOCK } from '../tokens.ts';
import { checkSeconds } from './break-glass.domain.ts';
import { BreakGlassRepository } from './break-glass.repository.ts';

/** What services/laps-vault says of break-glass accounts. Messages may come late, twice and in any order: the worst is one more change. */
@Injectable()
export class BreakGlassConsumer {
  constructor(
    private readonly accounts: BreakGlassRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Noted for when no other change is under way; a number that is not the vault's any more is refused there, and told anew. */
  readonly due: Handler<'entra-rotation-due'> = async (tx, { mspId, accountId, fence: dueFence, vaultKey, policy }) => {
    const account = await this.accounts.locked(tx, mspId, accountId);
    if (account === null) return;
    const patch = { dueFence, vaultKey, policy };
    if ((await this.accounts.candidateOf(tx, mspId, accountId)) !== null) return this.accounts.save(tx, account, patch);
    await this.accounts.save(tx, account, { ...patch, dueAt: this.clock.now(), failures: 0, changes: account.changes + 1 });
  };

  /** The vault holds the password, so that it may be set; or it does not want it any more. */
  readonly answered: Handler<'entra-rotation-answered'> = async (tx, { mspId, accountId, versionId, taken, fence }) => {
    const account = await this.accounts.locked(tx, mspId, accountId);
    const candidate = await this.accounts.candidateOf(tx, mspId, accountId);
    // What was taken once may be in Entra: no later answer throws it away.
    if (account === null || candidate?.id !== versionId || candidate.state !== 'OFFERED') return;
    if (taken) await this.accounts.saveCandidate(tx, candidate, { state: 'TAKEN', nextFence: fence });
    else await this.accounts.removeCandidate(tx, mspId, accountId);
    const now = this.clock.now();
    const dueAt = taken || account.dueFence !== null ? now : addSeconds(now, checkSeconds);
    await this.accounts.save(tx, account, { dueAt, failures: 0, changes: account.changes + 1 });
  };
}
