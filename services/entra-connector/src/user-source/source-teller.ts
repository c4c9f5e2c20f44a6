import { Injectable } from '@nestjs/common';
import { emit } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { changeOf, wantedOf, type ChosenGroup } from './person.domain.ts';
import { PersonRepository, type KnownPerson } from './person.repository.ts';
import type { Leaving, UserSource } from './source.domain.ts';

/** Tells services/tenants of people, in the transaction that keeps what was told: each change once, in the order of the versions. */
@Injectable()
export class SourceTeller {
  constructor(private readonly people: PersonRepository) {}

  /** Keeps people as they are now, and tells of those who must be something else than was said of them last. */
  async settle(tx: SystemTx, source: UserSource, groups: readonly ChosenGroup[], people: readonly KnownPerson[]): Promise<void> {
    const kept: KnownPerson[] = [];
    for (const person of people) {
      const { wanted, why } = wantedOf(person, groups, person.told);
      const kind = changeOf(person.told, wanted, why);
      if (wanted === null || kind === 'SAME' || kind === 'SKIPPED') {
        kept.push(person);
        continue;
      }
      kept.push(await this.#tell(tx, source, { ...person, told: wanted }, true));
    }
    await this.people.save(tx, source, kept);
  }

  /** Lets go of people: they are local from then on, as they are or switched off. */
  async letGo(tx: SystemTx, source: UserSource, leaving: Leaving, people: readonly KnownPerson[]): Promise<void> {
    const kept: KnownPerson[] = [];
    for (const person of people) {
      const { told } = person;
      if (told === null) continue;
      const last = leaving === 'KEEP' ? told : { ...told, present: false, groupIds: [], roles: [] };
      kept.push({ ...(await this.#tell(tx, source, { ...person, told: last }, false)), told: null });
    }
    await this.people.save(tx, source, kept);
  }

  async #tell(tx: SystemTx, { mspId, tenantId }: UserSource, person: KnownPerson, owned: boolean): Promise<KnownPerson> {
    const { objectId, told } = person;
    const version = person.version + 1;
    if (told === null) throw new Error('There is nothing to tell of a person.');
    await emit(tx, 'source-technician-changed', { mspId, tenantId, objectId, ...told, owned, version });
    return { ...person, version };
  }
}
