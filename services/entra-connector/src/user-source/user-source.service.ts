import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { entraObjectId, id, maxSourceGroups, sourceRoles, type Actor } from '@stint/contracts';
import {
  addSeconds,
  conflict,
  connection,
  invalidInput,
  isId,
  notFound,
  Refusal,
  type Clock,
  type Connection,
  type Id,
  type PageRequest,
} from '@stint/kernel';
import { audit, emit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, visiblePatiently, type TenantTx } from '@stint/tenancy';
import { DirectoryService } from '../directory/directory.service.ts';
import { EntraAccess, type EntraDirectory } from '../graph/directory.port.ts';
import { DirectoryError } from '../graph/directory-error.ts';
import type { DirectoryGroup } from '../graph/groups.port.ts';
import { CLOCK } from '../tokens.ts';
import { FoundRepository } from './found.repository.ts';
import type { ChosenGroup } from './person.domain.ts';
import { PersonRepository } from './person.repository.ts';
import { ReadingRepository } from './reading.repository.ts';
import { previewSeconds, type FoundChange, type Leaving, type Reading, type UserSource } from './source.domain.ts';
import { SourceRepository } from './source.repository.ts';
import { TechnicianGroupRepository } from '../directory/technician-group.repository.ts';

const chosenInput = z.object({ groupId: entraObjectId, technicianGroupId: z.string(), role: z.enum(sourceRoles).nullish() });
const previewInput = z.object({
  id,
  tenantId: z.string(),
  groups: z
    .array(chosenInput)
    .min(1, 'must name at least one group')
    .max(maxSourceGroups, `must name at most ${maxSourceGroups} groups`)
    .refine((groups) => new Set(groups.map(({ groupId }) => groupId)).size === groups.length, 'must name each group once'),
});

/** A source with all that is shown of it. */
export interface ShownSource extends UserSource {
  people: number;
  readings: Reading[];
}

/** User sources as administrators see and set them. */
@Injectable()
export class UserSourceService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly entra: EntraAccess,
    private readonly sources: SourceRepository,
    private readonly readings: ReadingRepository,
    private readonly found: FoundRepository,
    private readonly people: PersonRepository,
    private readonly groups: TechnicianGroupRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The source of a tenant; null where none was begun. */
  async read(actor: Actor, tenantId: Id): Promise<ShownSource | null> {
    return this.tenancy.readTenants(actor, async (tx) => {
      const source = await this.sources.find(tx, actor.mspId, tenantId);
      if (source === null) return null;
      return { ...source, people: await this.people.present(tx, source), readings: await this.readings.open(tx, actor.mspId, tenantId) };
    });
  }

  /** A reading in the actor's reach. */
  async reading(actor: Actor, readingId: string): Promise<Reading | null> {
    return isId(readingId) ? this.tenancy.readTenants(actor, (tx) => this.readings.find(tx, actor.mspId, readingId)) : null;
  }

  /** Who would be changed by a reading, and how. */
  async changes(actor: Actor, reading: Reading, page: PageRequest): Promise<Connection<FoundChange>> {
    return connection(await this.tenancy.readTenants(actor, (tx) => this.found.changes(tx, actor.mspId, reading.id, page)), page);
  }

  /** Groups of the connected Entra tenant whose name begins so. */
  async search(actor: Actor, tenantId: Id, text: string): Promise<DirectoryGroup[]> {
    await this.directory.inTenant(actor, tenantId, async () => undefined);
    try {
      const { groups } = await this.entra.of(actor.mspId, tenantId, 'HIGH');
      return await groups.search(text);
    } catch (error) {
      if (error instanceof DirectoryError) throw new Refusal('TRY_AGAIN', error.message);
      throw error;
    }
  }

  /** Begins to read what choosing these groups would change, and changes nothing. A newer preview takes the place of an older one. */
  async preview(actor: Actor, raw: unknown): Promise<Reading> {
    const input = checkInput(previewInput, raw);
    const { mspId } = actor;
    const { tenantId } = input;
    await this.directory.inTenant(actor, tenantId, async () => undefined);
    const chosen = await this.#chosen(actor, tenantId, input.groups);
    return this.directory.inTenant(actor, tenantId, async (tx) => {
      const source = await this.sources.lock(tx, mspId, tenantId);
      if (source.leaving !== null) throw conflict('The source is being switched off. Wait until that is done.');
      const known = await this.readings.find(tx, mspId, input.id);
      if (known !== null) {
        if (known.tenantId === tenantId && known.purpose === 'PREVIEW') return known; // the same call again
        throw conflict('This id is taken. Make a new one.');
      }
      const now = this.clock.now();
      await this.readings.discard(tx, mspId, tenantId, now, 'PREVIEW');
      const begun = { mspId, tenantId, id: input.id, purpose: 'PREVIEW' as const, groups: chosen, startedAt: now };
      if (!(await this.readings.insert(tx, begun))) throw conflict('This id is taken. Make a new one.');
      await this.sources.save(tx, { ...source, dueAt: now, attempts: 0 }, 'CUT');
      await audit(tx, { action: 'user-source.asked', subjectId: input.id, details: { groups: chosen.length }, occurredAt: now });
      return (await this.readings.find(tx, mspId, input.id)) ?? unreachable();
    });
  }

  /** Says yes to a reading that waits: switches the source on with a preview's groups, or has a synchronization go on that was held. */
  async apply(actor: Actor, readingId: string): Promise<UserSource> {
    const connected = await this.#connectedTo(actor, readingId);
    return this.#inTenantOf(actor, readingId, async (tx, source, reading) => {
      const now = this.clock.now();
      if (reading.state !== 'WAITING') throw conflict('This reading does not wait for a yes. Look at the source again.');
      if (reading.purpose === 'PREVIEW' && addSeconds(reading.startedAt, previewSeconds) < now)
        throw conflict('This preview is more than an hour old. Make a new one and look at it.');
      if (reading.purpose === 'PREVIEW' && reading.entraTenantId !== connected)
        throw conflict('This preview is of another Entra tenant than the connected one. Make a new preview and look at it.');
      await this.readings.save(tx, { ...reading, state: 'APPLYING', through: null }, now);
      const record = { subjectId: reading.id, occurredAt: now, details: { ...countsOf(reading), groups: reading.groups.length } };
      if (reading.purpose === 'SYNC') {
        await audit(tx, { ...record, action: 'user-source.confirmed' });
        return { ...source, dueAt: now };
      }
      await this.readings.discard(tx, source.mspId, source.tenantId, now, 'SYNC');
      await audit(tx, { ...record, action: 'user-source.switched-on' });
      const { entraTenantId } = reading;
      return this.#fill(tx, { ...source, on: true, entraTenantId, groups: reading.groups, round: null, changed: false, dueAt: now });
    });
  }

  /** Says no to a reading that waits. After a synchronization that was held, the groups are read again when they change, and once a day. */
  async discard(actor: Actor, readingId: string): Promise<UserSource> {
    return this.#inTenantOf(actor, readingId, async (tx, source, reading) => {
      const now = this.clock.now();
      if (reading.state === 'APPLYING' || (reading.purpose === 'SYNC' && reading.state !== 'WAITING'))
        throw conflict('This reading does not wait for a yes. Look at the source again.');
      await this.readings.save(tx, { ...reading, state: 'DISCARDED' }, now);
      await audit(tx, { action: 'user-source.discarded', subjectId: reading.id, occurredAt: now });
      return source;
    });
  }

  /** Has the deltas asked now, or everything read again. */
  async sync(actor: Actor, tenantId: Id, full: boolean): Promise<UserSource> {
    return this.directory.inTenant(actor, tenantId, async (tx) => {
      const source = await this.sources.lock(tx, actor.mspId, tenantId);
      if (!source.on) throw conflict('The source is switched off. Choose groups, look at the preview and say yes to it first.');
      const now = this.clock.now();
      // A round that is at the groups already begins anew: somebody may have been disabled since it asked for people.
      const next = { ...source, round: 'USERS' as const, dueAt: now, attempts: 0, ...(full ? { fullAt: now } : {}) };
      await this.sources.save(tx, next, 'CUT');
      return next;
    });
  }

  /** Switches the source off: its people are local from then on, as they are or switched off. */
  async switchOff(actor: Actor, tenantId: Id, people: Leaving): Promise<UserSource> {
    return this.directory.inTenant(actor, tenantId, async (tx) => {
      const source = await this.sources.lock(tx, actor.mspId, tenantId);
      const now = this.clock.now();
      await this.readings.discard(tx, actor.mspId, tenantId, now);
      if (!source.on) return source;
      const off = {
        ...source,
        on: false,
        entraTenantId: null,
        groups: [],
        leaving: people,
        usersCursor: null,
        groupsCursor: null,
        tracked: [],
        round: null,
      };
      const told = await this.#fill(tx, { ...off, changed: false, rereadAt: null, fullAt: null, dueAt: now, problem: null, attempts: 0 });
      await this.sources.save(tx, told, 'CUT');
      await audit(tx, { action: 'user-source.switched-off', subjectId: tenantId, details: { people }, occurredAt: now });
      return told;
    });
  }

  /** The Entra tenant that is connected where a preview is; null for what is none. */
  async #connectedTo(actor: Actor, readingId: string): Promise<string | null> {
    const reading = await this.reading(actor, readingId);
    if (reading?.purpose !== 'PREVIEW') return null;
    return (await this.entra.of(actor.mspId, reading.tenantId, 'HIGH').catch(inWords)).entraTenantId;
  }

  /** Tells which technician groups are filled from now on. */
  async #fill(tx: TenantTx, source: UserSource): Promise<UserSource> {
    const { mspId, tenantId } = source;
    const version = source.version + 1;
    const groupIds = [...new Set(source.groups.map(({ technicianGroupId }) => technicianGroupId))];
    await emit(tx, 'user-source-changed', { mspId, tenantId, groupIds, version });
    return { ...source, version };
  }

  async #inTenantOf(
    actor: Actor,
    readingId: string,
    work: (tx: TenantTx, source: UserSource, reading: Reading) => Promise<UserSource>,
  ): Promise<UserSource> {
    if (!isId(readingId)) throw notFound('reading');
    return this.tenancy.inTenantOf(
      actor,
      'reading',
      async (tx) => (await this.readings.find(tx, actor.mspId, readingId))?.tenantId ?? null,
      async (tx) => {
        const source = await this.sources.lock(tx, tx.scope.mspId, tx.scope.tenantId);
        const reading = await this.readings.find(tx, tx.scope.mspId, readingId);
        if (reading === null) throw notFound('reading');
        const next = await work(tx, source, reading);
        await this.sources.save(tx, next, 'CUT');
        return next;
      },
    );
  }

  /** The chosen groups with their names, each looked up in Entra and here. */
  async #chosen(actor: Actor, tenantId: Id, groups: z.infer<typeof previewInput>['groups']): Promise<ChosenGroup[]> {
    const wanted = groups.map(({ technicianGroupId }) => technicianGroupId);
    const here = await visiblePatiently(this.clock, wanted, (ids) =>
      this.tenancy.readTenants(actor, (tx) => this.groups.ofTenant(tx, actor.mspId, tenantId, ids)),
    );
    if (wanted.some((one) => !here.has(one))) throw notFound('technician group of this tenant');
    const entra = await this.#groupsOf(actor, tenantId);
    return Promise.all(
      groups.map(async ({ groupId, technicianGroupId, role }, place) => {
        const group = await entra.byId(groupId).catch(inWords);
        if (group === null)
          throw invalidInput(`groups.${place}.groupId`, `groups.${place}.groupId: there is no group with this object id in Entra ID.`);
        return { groupId, label: group.displayName, technicianGroupId, role: role ?? null };
      }),
    );
  }

  async #groupsOf(actor: Actor, tenantId: Id): Promise<EntraDirectory['groups']> {
    return (await this.entra.of(actor.mspId, tenantId, 'HIGH').catch(inWords)).groups;
  }
}

/** What Entra does not let us do is a conflict that says what to do. */
function inWords(error: unknown): never {
  throw error instanceof DirectoryError ? conflict(error.message) : error;
}

function countsOf({ counts }: Reading): Record<string, number> {
  return counts === null ? {} : { added: counts.ADDED, changed: counts.CHANGED, left: counts.LEAVES, returned: counts.RETURNS };
}

function unreachable(): never {
  throw new Error('A reading vanished.');
}
