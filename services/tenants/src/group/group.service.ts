import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { displayName, id, maxGroupsOfTechnician, type Actor } from '@stint/contracts';
import { connection, conflict, invalidInput, notFound, type Clock, type Connection, type Id, type PageRequest } from '@stint/kernel';
import { audit, emit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { TechnicianCopies } from '../technician/technician-copies.ts';
import { TechnicianRepository } from '../technician/technician.repository.ts';
import { checkId } from '../tenant/tenant.service.ts';
import { CLOCK } from '../tokens.ts';
import { maxMembers, refuseMembers, type Group } from './group.domain.ts';
import { GroupRepository } from './group.repository.ts';

const createInput = z.object({ id, tenantId: z.string(), name: displayName });
const membersInput = z.object({
  groupId: z.string(),
  technicianIds: z.array(z.string()).max(maxMembers, `must list at most ${maxMembers}`),
});

@Injectable()
export class GroupService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly groups: GroupRepository,
    private readonly technicians: TechnicianRepository,
    private readonly copies: TechnicianCopies,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async create(actor: Actor, raw: unknown): Promise<Group> {
    const input = checkInput(createInput, raw);
    return this.tenancy.inTenant(actor, checkId(input.tenantId, 'tenant'), async (tx) => {
      const group: Group = {
        mspId: tx.scope.mspId,
        tenantId: tx.scope.tenantId,
        id: input.id,
        name: input.name,
        version: 1,
        fromSource: false,
      };
      if (!(await this.groups.insert(tx, group))) {
        const [known] = await this.groups.findMany(tx, group.mspId, [group.id]);
        if (known?.name === group.name) return known; // the same call again
        throw conflict('A group with this id or name is there already.');
      }
      await emit(tx, 'group-changed', {
        mspId: group.mspId,
        tenantId: group.tenantId,
        groupId: group.id,
        name: group.name,
        version: group.version,
      });
      await audit(tx, { action: 'group.created', subjectId: group.id, details: { name: group.name }, occurredAt: this.clock.now() });
      return group;
    });
  }

  /**
   * Sets a group's members; refused whole when one of them is out of the caller's reach. Members often live above the
   * group's tenant, so their rows are written across tenants, as the system.
   */
  async setMembers(actor: Actor, raw: unknown): Promise<Group> {
    const input = checkInput(membersInput, raw);
    const groupId = checkId(input.groupId, 'group');
    const wanted = [...new Set(input.technicianIds.map((one) => checkId(one, 'technician')))];
    await this.tenancy.readTenants(actor, async (tx) => {
      if ((await this.groups.findMany(tx, actor.mspId, [groupId])).length === 0) throw notFound('group');
      if ((await this.technicians.findMany(tx, actor.mspId, wanted)).length !== wanted.length) throw notFound('technician');
    });
    return this.tenancy.asSystem(async (tx) => {
      const [group] = await this.groups.findMany(tx, actor.mspId, [groupId]);
      if (group === undefined) throw notFound('group');
      const members = await this.groups.members(tx, actor.mspId, groupId);
      const before = members.map(({ technicianId }) => technicianId);
      const added = wanted.filter((one) => !before.includes(one));
      const removed = before.filter((one) => !wanted.includes(one));
      const removedOfSource = members.filter((one) => one.fromSource && removed.includes(one.technicianId)).length;
      const refused = refuseMembers(group, { added: added.length, removedOfSource });
      if (refused !== null) throw conflict(refused);
      const counts = await this.groups.countOf(tx, actor.mspId, added);
      if (added.some((one) => (counts.get(one) ?? 0) >= maxGroupsOfTechnician))
        throw invalidInput('technicianIds', `technicianIds: a technician can be in ${maxGroupsOfTechnician} groups at most.`);
      await this.groups.setMembers(tx, group, wanted);
      // In one order everywhere, so that two changes at once never wait for each other in a circle.
      for (const technicianId of [...added, ...removed].sort()) await this.copies.changed(tx, actor.mspId, technicianId);
      const details = { added: added.length, removed: removed.length };
      const { mspId, tenantId } = group;
      await audit(tx, { action: 'group.changed', subjectId: groupId, details, occurredAt: this.clock.now(), mspId, tenantId, actor });
      return group;
    });
  }

  async memberIds(actor: Actor, groupId: Id): Promise<Id[]> {
    const members = await this.tenancy.readTenants(actor, (tx) => this.groups.members(tx, actor.mspId, groupId));
    return members.map(({ technicianId }) => technicianId);
  }

  async ofTechnician(actor: Actor, technicianId: Id): Promise<Group[]> {
    return this.tenancy.readTenants(actor, (tx) => this.groups.ofTechnician(tx, actor.mspId, technicianId));
  }

  async list(actor: Actor, tenantId: Id, page: PageRequest): Promise<Connection<Group>> {
    return connection(await this.tenancy.readTenants(actor, (tx) => this.groups.list(tx, actor.mspId, tenantId, page)), page);
  }

  async load(actor: Actor, ids: readonly Id[]): Promise<Group[]> {
    return this.tenancy.readTenants(actor, (tx) => this.groups.findMany(tx, actor.mspId, ids));
  }
}
