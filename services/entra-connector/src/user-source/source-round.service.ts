import { Injectable } from '@nestjs/common';
import type { SystemTx, Tenancy } from '@stint/tenancy';
import { EntraAccess, type EntraDirectory } from '../graph/directory.port.ts';
import type { GroupChange, PersonChange } from '../graph/groups.port.ts';
import { afterChange } from './person.domain.ts';
import { PersonRepository } from './person.repository.ts';
import { sameTenant } from '../graph/same-tenant.ts';
import { elsewhere, type UserSource } from './source.domain.ts';
import { SourceLease } from './source-lease.ts';
import { SourceTeller } from './source-teller.ts';

const letGoAtOnce = 250;

/** What is done in every round: pages of the deltas. And letting go of people when the source is switched off. */
@Injectable()
export class SourceRoundService {
  constructor(
    private readonly entra: EntraAccess,
    private readonly lease: SourceLease,
    private readonly people: PersonRepository,
    private readonly teller: SourceTeller,
  ) {}

  /** One page of what has changed among users: who is disabled, deleted, renamed. Whom we do not know, we do not keep. */
  async users(tenancy: Tenancy, source: UserSource, now: Date): Promise<void> {
    const { groups, entraTenantId } = await this.#directory(source);
    const page = await groups.usersDelta(source.usersCursor);
    await this.lease.answered(tenancy, source, async (tx, before) => {
      // Expired: everything is read again. It proves nothing of the tenant.
      if (page.state === 'EXPIRED') return { ...before, usersCursor: null, round: null };
      const held = { ...before, entraTenantId };
      const restored = await this.#usersChanged(tx, held, page.changes, now);
      const watched = held.groupsCursor !== null;
      const round = page.complete ? (watched ? 'GROUPS' : null) : 'USERS';
      // Too many groups to be watched are read in every round.
      const changed = held.changed || restored || (page.complete && !watched);
      return { ...held, usersCursor: page.cursor, round, changed, lastSyncAt: round === null ? now : held.lastSyncAt };
    });
  }

  /** One page of what has changed among the groups: whatever it is, their members are read anew. */
  async groups(tenancy: Tenancy, source: UserSource, now: Date): Promise<void> {
    const { groups } = await this.#directory(source);
    const page = await groups.groupsDelta(source.tracked, source.groupsCursor);
    await this.lease.answered(tenancy, source, async (tx, held) => {
      if (page.state === 'EXPIRED') return { ...held, groupsCursor: null, tracked: [], round: null, changed: true };
      const changed = held.changed || page.changes.some(movesPeople);
      const round = page.complete ? null : 'GROUPS';
      const named = relabelled(held, page.changes);
      return { ...named, groupsCursor: page.cursor, round, changed, lastSyncAt: page.complete ? now : held.lastSyncAt };
    });
  }

  /** Lets go of the next people; the last ones end it. */
  async letGo(tenancy: Tenancy, source: UserSource): Promise<void> {
    await this.lease.run(tenancy, source, async (tx, held) => {
      if (held.leaving === null) return held;
      const batch = await this.people.held(tx, held, letGoAtOnce);
      await this.teller.letGo(tx, held, held.leaving, batch);
      return batch.length < letGoAtOnce ? { ...held, leaving: null } : held;
    });
  }

  async #directory(source: UserSource): Promise<EntraDirectory> {
    return sameTenant(await this.entra.of(source.mspId, source.tenantId, 'LOW'), source.entraTenantId, elsewhere);
  }

  /** True when somebody is back out of the recycle bin: with memberships that only a reading tells. */
  async #usersChanged(tx: SystemTx, source: UserSource, changes: readonly PersonChange[], now: Date): Promise<boolean> {
    const byId = new Map(changes.map((change) => [change.id, change]));
    const known = await this.people.ofObjects(tx, source, [...byId.keys()]);
    let restored = false;
    const people = known.map((person) => {
      const change = byId.get(person.objectId);
      if (change === undefined) return person;
      restored ||= person.deleted && !change.removed;
      const facts = change.removed ? person.facts : afterChange(person.facts, change);
      return { ...person, facts, deleted: change.removed, toldAt: now };
    });
    await this.teller.settle(tx, source, source.groups, people);
    return restored;
  }
}

function movesPeople({ removed, membersAdded, membersRemoved }: GroupChange): boolean {
  return removed || membersAdded.length + membersRemoved.length > 0;
}

function relabelled(source: UserSource, changes: readonly GroupChange[]): UserSource {
  const names = new Map(changes.flatMap(({ id, displayName }) => (displayName === undefined ? [] : [[id, displayName]])));
  return { ...source, groups: source.groups.map((group) => ({ ...group, label: names.get(group.groupId) ?? group.label })) };
}
