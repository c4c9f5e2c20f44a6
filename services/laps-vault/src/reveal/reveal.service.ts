import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { hpkePublicKey, id, reason, ticket, type Actor } from '@stint/contracts';
import { addSeconds, invalidInput, notFound, Problem, Refusal, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import { AccountLock } from '../account/account-lock.service.ts';
import type { LapsAccount } from '../account/account.domain.ts';
import { AccountService, type ShownAccount } from '../account/account.service.ts';
import { askedAt } from '../account/plan.domain.ts';
import { VersionRepository, type KeptVersion } from '../account/version.repository.ts';
import { CheckOutRepository } from '../check-out/check-out.repository.ts';
import { CheckOutService } from '../check-out/check-out.service.ts';
import { isReader } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { CLOCK } from '../tokens.ts';
import { candidatesOf, isMassReveal, limitedUntil, longestLimitSeconds, repeatSeconds, type Certainty } from './reveal.domain.ts';
import { RevealRepository } from './reveal.repository.ts';
import { SealingService } from './sealing.service.ts';

const revealInput = z.object({
  id,
  accountId: z.string(),
  reason,
  ticket: ticket.nullish(),
  recipientKey: hpkePublicKey,
  history: z.boolean().nullish(),
});
const checkOutInput = revealInput.omit({ history: true }).extend({ seconds: z.int().min(300).max(28_800) });

/** A password, sealed to its reader. */
export interface RevealedCandidate {
  versionId: Id;
  certainty: Certainty;
  escrowedAt: Date;
  confirmedAt: Date | null;
  enc: string;
  ciphertext: string;
}
export interface Revealed {
  shown: ShownAccount;
  candidates: RevealedCandidate[];
}

interface Asked {
  id: Id;
  accountId: Id;
  reason: string;
  ticket: string | null;
  recipientKey: string;
  history: boolean;
  /** For a check-out: for how long. */
  seconds: number | null;
}
type Candidates = ReturnType<typeof candidatesOf<KeptVersion>>;

/**
 * Reading passwords. What is decided is recorded and committed first; only then passwords are opened, and sealed to
 * their reader in the same breath. Where the record fails, nothing is opened (safety promise G3).
 */
@Injectable()
export class RevealService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly copies: DirectoryRepository,
    private readonly lock: AccountLock,
    private readonly accountService: AccountService,
    private readonly versions: VersionRepository,
    private readonly reveals: RevealRepository,
    private readonly checkOuts: CheckOutRepository,
    private readonly checkOutService: CheckOutService,
    private readonly sealing: SealingService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async reveal(actor: Actor, raw: unknown): Promise<Revealed> {
    const input = checkInput(revealInput, raw);
    return this.#reveal(actor, { ...input, ticket: input.ticket ?? null, history: input.history === true, seconds: null });
  }

  /** Reveals the password and keeps everybody else from it. */
  async checkOut(actor: Actor, raw: unknown): Promise<Revealed> {
    const input = checkInput(checkOutInput, raw);
    return this.#reveal(actor, { ...input, ticket: input.ticket ?? null, history: false });
  }

  async #reveal(actor: Actor, asked: Asked): Promise<Revealed> {
    if (actor.kind !== 'technician') throw new Refusal('FORBIDDEN', 'Passwords are for people.');
    // In the caller's own reach: whoever does not see the account hears no more than that.
    const { account } = await this.accountService.read(actor, asked.accountId);
    const decided = await this.tenancy.asSystem((tx) => this.#decide(tx, actor, account, asked));
    // A refusal that is worth a record is committed with it, and becomes an answer only then.
    if (decided instanceof Problem) throw decided;
    const candidates = await Promise.all(
      decided.map(async ({ version, certainty }) => ({
        ...{ versionId: version.id, certainty, escrowedAt: version.escrowedAt, confirmedAt: version.confirmedAt },
        ...(await this.sealing.toReader(version, asked.recipientKey)),
      })),
    );
    return { shown: await this.accountService.read(actor, asked.accountId), candidates };
  }

  /** All or nothing: what may be read, with its record; or why not. */
  async #decide(tx: SystemTx, actor: Actor, { mspId, tenantId }: LapsAccount, asked: Asked): Promise<Candidates | Problem> {
    await this.reveals.holdTechnician(tx, actor.id);
    const locked = await this.lock.locked(tx, mspId, asked.accountId);
    if (locked === null) throw notFound('LAPS account');
    const { account, hostName } = locked;
    const now = this.clock.now();
    const record = { subjectId: account.id, occurredAt: now, mspId, tenantId, actor };
    const details = { accountName: account.name, hostName, reason: asked.reason, ticket: asked.ticket };
    const refuse = async (why: string, problem: Problem): Promise<Problem> => {
      await audit(tx, { ...record, action: 'laps.reveal-refused', details: { ...details, why } });
      return problem;
    };
    const settings = await this.copies.settings(tx, mspId, tenantId);
    // Held: whoever takes them out of the group at this moment waits for us, and what was done before is seen here.
    const technician = await this.copies.technicianHeld(tx, mspId, actor.id);
    if (settings === null || !isReader(technician, settings))
      return refuse(
        'in none of the groups',
        denied('You are in none of the groups that may read LAPS passwords here. Ask an administrator.'),
      );
    if (settings.requireTicket && asked.ticket === null) throw invalidInput('ticket', 'ticket: the settings of this tenant demand one.');
    const candidates = candidatesOf(await this.versions.ofAccount(tx, mspId, account.id), asked.history);
    if (candidates.length === 0)
      throw new Problem(
        'NothingEscrowed',
        'The vault has no password of this account yet. It gets one when the computer is in contact, and in Entra within minutes.',
      );
    const before = await this.reveals.find(tx, mspId, asked.id);
    if (before !== null) {
      const same = before.technicianId === actor.id && before.accountId === account.id && addSeconds(before.at, repeatSeconds) > now;
      if (!same) throw invalidInput('id', 'id: this one was used for another reveal. Make a new one.');
      return candidates;
    }
    const recent = await this.reveals.since(tx, mspId, actor.id, addSeconds(now, -longestLimitSeconds));
    const retryAt = limitedUntil(
      recent.map(({ at }) => at),
      now,
    );
    if (retryAt !== null) return refuse('too many', limited(retryAt));
    const open = await this.checkOuts.openOf(tx, mspId, account.id);
    const isOver = open !== null && open.until <= now;
    if (open !== null && !isOver && open.technicianId !== actor.id) return refuse('checked out by somebody else', checkedOut(open.until));
    let next = account;
    // Their own is prolonged by a new one; one that is over ends here, before the sweep comes to it.
    if (open !== null && isOver) next = await this.checkOutService.end(tx, account, open, null);
    else if (open !== null && asked.seconds !== null) await this.checkOuts.end(tx, mspId, open.id, now);
    const isOut = asked.seconds !== null || (open !== null && !isOver);
    if (asked.seconds !== null) {
      const out = { mspId, tenantId, id: asked.id, accountId: account.id, technicianId: actor.id };
      await this.checkOuts.add(tx, { ...out, since: now, until: addSeconds(now, asked.seconds) });
    }
    const due = askedAt(account.confirmedAt, addSeconds(now, settings.rotateAfterRevealSeconds));
    // While it is checked out nothing is changed under its holder, except after an incident.
    const rotateAt = isOut ? (next.rotateAt !== null && next.rotateAt <= now ? next.rotateAt : null) : earliest(next.rotateAt, due);
    await this.lock.saveAndHint(tx, { ...next, revealedAt: now, rotateAt });
    await this.reveals.add(tx, { mspId, tenantId, id: asked.id, accountId: account.id, technicianId: actor.id, at: now });
    const versions = candidates.map(({ version }) => version.id).join(' ');
    const action = asked.seconds === null ? 'laps.revealed' : 'laps.checked-out';
    await audit(tx, { ...record, action, details: { ...details, versions, seconds: asked.seconds } });
    if (isMassReveal(recent, account.id, now)) await audit(tx, { ...record, action: 'laps.mass-reveal', details });
    return candidates;
  }
}

function earliest(one: Date | null, other: Date): Date {
  return one !== null && one < other ? one : other;
}

function denied(message: string): Problem {
  return new Problem('LapsAccessDenied', message);
}

function checkedOut(until: Date): Problem {
  return new Problem('LapsCheckedOut', 'Somebody else has checked this account out. Wait, or have an administrator check it in.', {
    until,
  });
}

function limited(retryAt: Date): Problem {
  return new Problem('RevealsLimited', 'At most 10 passwords a minute and 60 an hour are shown to one person. Wait, or ask a colleague.', {
    retryAt,
  });
}
