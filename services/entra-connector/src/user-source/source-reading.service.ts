import { Injectable } from '@nestjs/common';
import { addSeconds, newId } from '@stint/kernel';
import { audit } from '@stint/messaging';
import type { SystemTx, Tenancy } from '@stint/tenancy';
import { EntraAccess } from '../graph/directory.port.ts';
import type { GroupDirectory } from '../graph/groups.port.ts';
import { isDirectoryError } from '../graph/directory-error.ts';
import { FoundRepository, type Compared } from './found.repository.ts';
import { changeOf, factsOf, wantedOf } from './person.domain.ts';
import { PersonRepository, type KnownPerson } from './person.repository.ts';
import { ReadingRepository } from './reading.repository.ts';
import { sameTenant } from '../graph/same-tenant.ts';
import {
  elsewhere,
  fullSeconds,
  mostWatched,
  reasonToHold,
  roundMeanwhile,
  settleSeconds,
  type Reading,
  type UserSource,
} from './source.domain.ts';
import { SourceLease } from './source-lease.ts';
import { SourceTeller } from './source-teller.ts';

const comparedAtOnce = 1000;
/** One batch of Graph's. */
const askedAtOnce = 20;
const appliedAtOnce = 250;

/**
 * Reads the members of the chosen groups, page by page, compares them with what is known, and applies the difference. Each step is
 * one request and one transaction, or one transaction: whoever goes on after a crash begins with the page that was not kept.
 */
@Injectable()
export class SourceReadingService {
  constructor(
    private readonly entra: EntraAccess,
    private readonly lease: SourceLease,
    private readonly readings: ReadingRepository,
    private readonly found: FoundRepository,
    private readonly people: PersonRepository,
    private readonly teller: SourceTeller,
  ) {}

  /** Begins to read for a synchronization; one that waits for somebody is out of date with that. */
  async begin(tenancy: Tenancy, source: UserSource, now: Date): Promise<void> {
    await this.lease.run(tenancy, source, async (tx, held) => {
      const { mspId, tenantId, groups } = held;
      await this.readings.discard(tx, mspId, tenantId, now, 'SYNC');
      await this.readings.insert(tx, { mspId, tenantId, id: newId(), purpose: 'SYNC', groups, startedAt: now });
      // Once more later, unless this is that time: Entra may show late what a delta told of.
      const again = held.changed || held.usersCursor === null;
      const full = held.usersCursor === null || (held.fullAt !== null && held.fullAt <= now);
      return {
        ...{ ...held, changed: false, rereadAt: again ? addSeconds(now, settleSeconds) : null },
        fullAt: full ? addSeconds(now, fullSeconds) : held.fullAt,
      };
    });
  }

  /**
   * Asks for the groups within the chosen ones and where changes begin; afterwards for one page of members; at last, in a
   * synchronization, for people who are in none of the groups any more.
   */
  async read(tenancy: Tenancy, source: UserSource, reading: Reading, now: Date): Promise<void> {
    const isPreview = reading.purpose === 'PREVIEW';
    const connected = await this.entra.of(source.mspId, source.tenantId, isPreview ? 'HIGH' : 'LOW');
    // A preview may be how a source moves to another Entra tenant: people say yes to it.
    const { groups, entraTenantId } = sameTenant(connected, isPreview ? reading.entraTenantId : source.entraTenantId, elsewhere);
    if (reading.tracked === null) {
      const chosen = reading.groups.map(({ groupId }) => groupId);
      const within = await groups.groupsWithin(chosen);
      const missing = chosen.filter((_, place) => within[place] === null);
      const tracked = [...new Set([...chosen, ...within.flatMap((inner) => inner ?? [])])].sort();
      const watched = tracked.length <= mostWatched;
      const fresh = reading.purpose === 'PREVIEW' || source.usersCursor === null || tracked.join() !== source.tracked.join();
      const cursors = fresh ? await groups.changesFromNow(watched ? tracked : chosen) : { users: null, groups: null };
      return this.#keep(tenancy, source, now, {
        ...{ ...reading, entraTenantId, tracked, missing, usersCursor: cursors.users, groupsCursor: watched ? cursors.groups : null },
      });
    }
    const group = reading.groups[reading.place];
    if (group === undefined) return this.#readApart(tenancy, source, reading, groups, now);
    const next = { ...reading, place: reading.place + 1, cursor: null };
    if (reading.missing.includes(group.groupId)) return this.#keep(tenancy, source, now, next);
    try {
      const page = await groups.members(group.groupId, reading.cursor);
      const people = page.items.map(({ id, ...person }) => ({ id, facts: factsOf(person) }));
      const after = page.cursor === null ? next : { ...reading, cursor: page.cursor };
      return await this.#keep(tenancy, source, now, after, (tx) => this.found.add(tx, reading, group.groupId, people));
    } catch (error) {
      if (isDirectoryError(error, 'NOT_FOUND')) {
        return this.#keep(tenancy, source, now, { ...next, missing: [...reading.missing, group.groupId] });
      }
      // Entra has forgotten where we were in the list: from its beginning.
      if (isDirectoryError(error, 'INVALID') && reading.cursor !== null)
        return this.#keep(tenancy, source, now, { ...reading, cursor: null });
      throw error;
    }
  }

  /** Compares the next people; at the end the reading waits for somebody, or is applied. */
  async compare(tenancy: Tenancy, source: UserSource, reading: Reading, now: Date): Promise<void> {
    await this.lease.run(tenancy, source, async (tx, held) => {
      const batch = await this.found.next(tx, reading, comparedAtOnce);
      const off: Compared[] = [];
      const changes = batch.map((compared) => {
        const { objectId } = compared;
        const person = asOf(compared, reading);
        const { wanted, why } = wantedOf(person, reading.groups, compared.told);
        const kind = changeOf(compared.told, wanted, why);
        if (reading.purpose === 'PREVIEW' || kind !== 'LEAVES') return { objectId, wanted, kind, why };
        const offBecause = why ?? (isSwitchedOff(person, reading) ? ('DISABLED' as const) : null);
        if (offBecause === null) return { objectId, wanted, kind, why };
        off.push(compared);
        return { objectId, wanted, kind: 'SKIPPED' as const, why: offBecause };
      });
      await this.found.setChanges(tx, reading, changes);
      // Who is disabled or deleted waits for nobody's yes: it may be that no delta tells of them any more.
      await this.teller.settle(tx, held, reading.groups, knownPeople(off, reading));
      if (batch.length === comparedAtOnce) {
        await this.readings.save(tx, { ...reading, through: batch.at(-1)?.objectId ?? null }, now);
        return held;
      }
      const counts = await this.found.counts(tx, reading);
      const compared = { ...reading, through: null, counts };
      const reason =
        reading.purpose === 'SYNC' ? reasonToHold(await this.people.present(tx, held), counts.left, reading.missing.length) : null;
      const state = reading.purpose === 'PREVIEW' || reason !== null ? 'WAITING' : 'APPLYING';
      if (reason === null) {
        await this.readings.save(tx, { ...compared, state }, now);
        return held;
      }
      // The deltas go on while it waits: otherwise everything would have to be read again and again.
      await this.readings.save(tx, { ...compared, state, heldBecause: reason, usersCursor: null, groupsCursor: null }, now);
      const { mspId, tenantId } = held;
      const record = { subjectId: reading.id, occurredAt: now, mspId, tenantId, details: { reason, left: counts.left } };
      await audit(tx, { ...record, action: 'user-source.held' });
      return goesOn(held, reading);
    });
  }

  /** Applies the next people; at the end the deltas go on from where the reading began. */
  async apply(tenancy: Tenancy, source: UserSource, reading: Reading, now: Date): Promise<void> {
    await this.lease.run(tenancy, source, async (tx, held) => {
      const batch = await this.found.next(tx, reading, appliedAtOnce);
      await this.teller.settle(tx, held, reading.groups, knownPeople(batch, reading));
      if (batch.length === appliedAtOnce) {
        await this.readings.save(tx, { ...reading, through: batch.at(-1)?.objectId ?? null }, now);
        return held;
      }
      await this.people.forgetStrangers(tx, held);
      await this.readings.save(tx, { ...reading, state: 'APPLIED' }, now);
      const { counts } = reading;
      if (counts !== null && counts.ADDED + counts.CHANGED + counts.LEAVES + counts.RETURNS > 0) {
        const { mspId, tenantId } = held;
        const details = { added: counts.ADDED, changed: counts.CHANGED, left: counts.LEAVES, returned: counts.RETURNS };
        await audit(tx, { action: 'user-source.applied', subjectId: reading.id, details, occurredAt: now, mspId, tenantId });
      }
      const scratch = reading.purpose === 'PREVIEW' || held.usersCursor === null;
      const after = { ...goesOn(held, reading), lastSyncAt: now };
      if (scratch) return { ...after, round: 'USERS', rereadAt: addSeconds(now, settleSeconds), fullAt: addSeconds(now, fullSeconds) };
      // It has waited for somebody: what is new is read at once.
      return reading.heldBecause === null ? after : { ...after, rereadAt: now };
    });
  }

  /** The groups do not tell whether somebody who has left them is still there and enabled: Entra is asked for each. */
  async #readApart(tenancy: Tenancy, source: UserSource, reading: Reading, groups: GroupDirectory, now: Date): Promise<void> {
    const ids = reading.purpose === 'PREVIEW' ? [] : await tenancy.asSystem((tx) => this.found.unread(tx, reading, askedAtOnce));
    if (ids.length === 0)
      return this.#keep(tenancy, source, now, { ...reading, state: 'COMPARING' }, (tx) => this.found.addMissing(tx, reading));
    const answers = await groups.people(ids);
    const people = ids.map((id, place) => ({ id, facts: answers[place] ? factsOf(answers[place]) : null }));
    await this.#keep(tenancy, source, now, reading, (tx) => this.found.addApart(tx, reading, people));
  }

  async #keep(
    tenancy: Tenancy,
    source: UserSource,
    now: Date,
    reading: Reading,
    more: (tx: SystemTx) => Promise<void> = async () => undefined,
  ): Promise<void> {
    await this.lease.answered(tenancy, source, async (tx, held) => {
      await more(tx);
      await this.readings.save(tx, reading, now);
      return { ...held, round: roundMeanwhile(held, now) };
    });
  }
}

/** From where the deltas go on: from where the reading began, where it asked for that. */
function goesOn(source: UserSource, reading: Reading): UserSource {
  const tracked = reading.tracked ?? [];
  if (reading.usersCursor === null) return { ...source, tracked };
  const scratch = reading.purpose === 'PREVIEW' || source.usersCursor === null;
  return { ...source, tracked, groupsCursor: reading.groupsCursor, usersCursor: scratch ? reading.usersCursor : source.usersCursor };
}

/** People as a reading found them. */
function knownPeople(batch: readonly Compared[], reading: Reading): KnownPerson[] {
  return batch.flatMap((compared) => {
    const { facts, deleted, groupIds, isProtected } = asOf(compared, reading);
    const { objectId, toldAt, told, version } = compared;
    return facts === null ? [] : [{ objectId, facts, deleted, groupIds, isProtected, toldAt, told, version }];
  });
}

type FoundPerson = Pick<KnownPerson, 'deleted' | 'groupIds' | 'isProtected'> & { facts: KnownPerson['facts'] | null };

/** A person as a reading found them, unless a delta told something newer: reads can be late, deltas are not. */
function asOf(compared: Compared, reading: Reading): FoundPerson {
  const { gone, knownFacts, toldAt, deleted, groupIds, isProtected } = compared;
  const facts = compared.facts ?? compared.apart;
  const newer = toldAt !== null && addSeconds(toldAt, settleSeconds) > reading.startedAt;
  if (newer && knownFacts !== null) return { facts: knownFacts, deleted, groupIds, isProtected };
  if (facts === null) return { facts: knownFacts, deleted: deleted || gone, groupIds, isProtected };
  return { facts, deleted: false, groupIds, isProtected };
}

/** Disabled or deleted there. Where no chosen group is there either, nobody is believed to be deleted: it may be the wrong place. */
function isSwitchedOff({ facts, deleted }: FoundPerson, { missing, groups }: Reading): boolean {
  return facts?.enabled === false || (deleted && missing.length < groups.length);
}
