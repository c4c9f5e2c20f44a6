import type { Actor, Payload } from '@stint/contracts';
import { addSeconds, type Clock } from '@stint/kernel';
import { audit } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { administersMsp } from '../role/role.domain.ts';
import type { RoleRepository } from '../role/role.repository.ts';
import type { SessionService } from '../session/session.service.ts';
import type { TechnicianCopies } from '../technician/technician-copies.ts';
import type { Technician } from '../technician/technician.domain.ts';
import type { TechnicianRepository } from '../technician/technician.repository.ts';
import type { Revoke } from '../tokens.ts';
import { fitting, mayTakeAddress, parkedAddress, type SourceConflictKind, type SourcePerson } from './source-person.domain.ts';
import type { SourceGivenRepository } from './source-given.repository.ts';
import type { SourcePersonRepository } from './source-person.repository.ts';

const retrySeconds = 60;

export interface SourceTechnicianParts {
  people: SourcePersonRepository;
  given: SourceGivenRepository;
  technicians: TechnicianRepository;
  held: RoleRepository;
  copies: TechnicianCopies;
  sessions: SessionService;
  clock: Clock;
  revoke: Revoke;
}

/** Makes technicians what the user source says of them, as far as nobody else's word stands against it. */
export class SourceTechnicianService {
  readonly #parts: SourceTechnicianParts;

  constructor(parts: SourceTechnicianParts) {
    this.#parts = parts;
  }

  /** A person of the source changed. Late and doubled messages do nothing. */
  async told(tx: SystemTx, message: Payload<'source-technician-changed'>): Promise<void> {
    const person = await this.#parts.people.save(tx, message);
    if (person !== null) await this.settle(tx, person);
  }

  /** The source fills other groups now, or none. */
  async sourceTold(tx: SystemTx, message: Payload<'user-source-changed'>): Promise<void> {
    const { people } = this.#parts;
    if (await people.newerSource(tx, message)) await people.setFedGroups(tx, message.mspId, message.tenantId, message.groupIds);
  }

  /** Brings one person as far as they can be brought now, and notes what stands in the way of the rest. */
  async settle(tx: SystemTx, person: SourcePerson, actor: Actor | null = null): Promise<void> {
    const conflict = await this.#settled(tx, person, actor);
    const retries = conflict !== null && conflict !== 'LOCAL_TECHNICIAN' && person.owned;
    const shown = person.owned ? conflict : null;
    await this.#parts.people.setConflict(tx, person, shown, retries ? addSeconds(this.#parts.clock.now(), retrySeconds) : null);
  }

  async #settled(tx: SystemTx, person: SourcePerson, actor: Actor | null): Promise<SourceConflictKind | null> {
    const { mspId, tenantId } = person;
    const { people, given, technicians, held } = this.#parts;
    const known = await given.technicianId(tx, person);
    // Nobody is made who is not there, or whom the source has let go of.
    if (known === null && !(person.present && person.owned)) return null;
    const holder = person.present ? await people.holderOf(tx, mspId, tenantId, person.email) : null;
    const address = person.present ? mayTakeAddress(holder, known) : 'TAKEN';
    if (address === 'PARK' && holder !== null) await this.#park(tx, person, holder.technicianId);
    const free = address === 'FREE' || address === 'PARK';
    if (known === null && !free) return address === 'LOCAL' ? 'LOCAL_TECHNICIAN' : 'ADDRESS_TAKEN';
    const technicianId = known ?? (await given.insert(tx, person));
    if (technicianId === null) return 'ADDRESS_TAKEN';
    // In the order of `TechnicianService.update`: first the other administrators, then the person.
    const others = person.present ? 1 : await held.otherAdministrators(tx, mspId, technicianId);
    const before = await technicians.lock(tx, mspId, technicianId);
    if (before === null) throw new Error('A technician of the source vanished.');
    const last = others === 0 && (await held.ofTechnicians(tx, mspId, [technicianId])).some(administersMsp);
    const off = !person.present && !last;
    const blocked = await this.#give(tx, person, before, { email: free ? person.email : before.email, off, added: known === null, actor });
    // Whoever lost the address to this person gets their own now.
    if (address === 'PARK' && holder !== null) await this.#again(tx, holder.technicianId);
    if (last) return 'LAST_ADMINISTRATOR';
    return person.present && !free ? 'ADDRESS_TAKEN' : blocked;
  }

  async #give(
    tx: SystemTx,
    person: SourcePerson,
    before: Technician,
    to: { email: string; off: boolean; added: boolean; actor: Actor | null },
  ): Promise<SourceConflictKind | null> {
    const { mspId, tenantId, objectId } = person;
    const { id } = before;
    const { given, copies, sessions, clock, revoke } = this.#parts;
    const fits = fitting(person, await given.known(tx, person, id));
    const told = await given.set(tx, before, { email: to.email, displayName: person.displayName, off: to.off });
    const moved = await given.setGroups(tx, person, id, fits.groupIds);
    const roles = await given.setRoles(tx, person, id, fits.roles);
    const released = !person.owned && (await given.release(tx, mspId, id));
    if (!told && !moved && !roles && !released && !to.added) return fits.conflict;
    await copies.changed(tx, mspId, id);
    const active = !to.off && !before.switchedOff;
    if (roles || active !== before.active) tx.afterCommit(() => revoke(id));
    if (before.active && !active) await sessions.endAllOf(tx, mspId, id, to.actor);
    await audit(tx, {
      ...{ action: to.added ? 'technician.added' : 'technician.changed', subjectId: id, occurredAt: clock.now() },
      ...{ mspId, tenantId, actor: to.actor },
      details: { from: 'user source', objectId, email: to.email, active, roles: fits.roles.join(' '), groups: fits.groupIds.length },
    });
    return fits.conflict;
  }

  /** Takes an address from somebody of the source who has lost it there. */
  async #park(tx: SystemTx, to: SourcePerson, technicianId: string): Promise<void> {
    const { technicians, given, clock } = this.#parts;
    const holder = await technicians.lock(tx, to.mspId, technicianId);
    if (holder?.sourceObjectId == null) throw new Error('An address was taken from somebody who does not come from the source.');
    const email = parkedAddress(holder.sourceObjectId);
    await given.setEmail(tx, to.mspId, technicianId, email);
    await this.#parts.copies.changed(tx, to.mspId, technicianId);
    await audit(tx, {
      ...{ action: 'technician.changed', subjectId: technicianId, occurredAt: clock.now(), mspId: to.mspId, tenantId: to.tenantId },
      ...{ actor: null, details: { from: 'user source', email, addressWentTo: to.objectId } },
    });
  }

  async #again(tx: SystemTx, technicianId: string): Promise<void> {
    const { technicians, people } = this.#parts;
    const technician = await technicians.findById(tx, technicianId);
    if (technician?.sourceObjectId == null) return;
    const person = await people.ofObject(tx, technician.mspId, technician.tenantId, technician.sourceObjectId);
    if (person !== null) await this.settle(tx, person);
  }
}
