import { Injectable } from '@nestjs/common';
import DataLoader from 'dataloader';
import { asSelf, narrowed, type Actor, type Permission } from '@stint/contracts';
import { isId, notFound, Refusal, type Id } from '@stint/kernel';
import { callerActor, perRequest, type RequestContext } from '@stint/subgraph';
import { DeviceService } from './device/device.service.ts';
import type { Device } from './device/device.domain.ts';
import { GroupService } from './group/group.service.ts';
import type { Group } from './group/group.domain.ts';
import { TechnicianService } from './technician/technician.service.ts';
import type { Technician } from './technician/technician.domain.ts';
import { TenantService } from './tenant/tenant.service.ts';
import type { Tenant } from './tenant/tenant.domain.ts';

interface Things {
  tenant: Tenant;
  technician: Technician;
  group: Group;
  device: Device;
}
/** What lets a caller read a thing of a kind; everybody may read themselves. */
const reading: Readonly<Record<keyof Things, Permission>> = {
  tenant: 'tenant.read',
  technician: 'technician.read',
  group: 'technician.read',
  device: 'device.read',
};
type Load<Kind extends keyof Things> = (actor: Actor, ids: readonly Id[]) => Promise<Things[Kind][]>;

/** Reads things by id: one query for all ids of a kind that a request asks for, within the caller's reach. */
@Injectable()
export class Loaders {
  readonly #load: { readonly [Kind in keyof Things]: Load<Kind> };

  constructor(tenants: TenantService, technicians: TechnicianService, groups: GroupService, devices: DeviceService) {
    this.#load = {
      tenant: (actor, ids) => tenants.load(actor, ids),
      technician: (actor, ids) => technicians.load(actor, ids),
      group: (actor, ids) => groups.load(actor, ids),
      device: (actor, ids) => devices.load(actor, ids),
    };
  }

  /** The thing, or null where it does not exist or is out of reach. */
  async maybe<Kind extends keyof Things>(context: RequestContext, kind: Kind, id: string): Promise<Things[Kind] | null> {
    const actor = callerActor(context.principal);
    // A device sees itself and the tenant it stands in, nothing else.
    if (actor.kind === 'device' && !((kind === 'device' && id === actor.id) || (kind === 'tenant' && id === actor.tenantId))) return null;
    if (!isId(id)) return null;
    const self = kind === 'technician' && actor.kind === 'technician' && id === actor.id;
    const reader = self ? asSelf(actor) : narrowed(actor, [reading[kind]]);
    const loader = perRequest<Things[Kind] | null>(
      context,
      self ? 'self' : kind,
      () => new DataLoader((ids) => this.#inOrder(kind, reader, ids)),
    );
    return loader.load(id);
  }

  /** The thing, or the refusal `NOT_FOUND`: the same for unknown ids and for those out of reach. */
  async found<Kind extends keyof Things>(context: RequestContext, kind: Kind, id: string): Promise<Things[Kind]> {
    const thing = await this.maybe(context, kind, id);
    if (thing === null) throw new Refusal('NOT_FOUND', notFound(kind).message);
    return thing;
  }

  async #inOrder<Kind extends keyof Things>(kind: Kind, actor: Actor, ids: readonly string[]): Promise<(Things[Kind] | null)[]> {
    const byId = new Map((await this.#load[kind](actor, ids)).map((thing) => [thing.id, thing]));
    return ids.map((id) => byId.get(id) ?? null);
  }
}
