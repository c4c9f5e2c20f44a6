import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { deviceTag, maxDeviceTags, type Actor } from '@stint/contracts';
import { connection, notFound, type Clock, type Connection, type Id, type PageRequest } from '@stint/kernel';
import { audit, emit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx, type TenantTx } from '@stint/tenancy';
import { checkId } from '../tenant/tenant.service.ts';
import { CLOCK, REVOKE, type Revoke } from '../tokens.ts';
import type { Device } from './device.domain.ts';
import { DeviceRepository } from './device.repository.ts';

const updateInput = z.object({
  id: z.string(),
  tags: z
    .array(deviceTag)
    .max(maxDeviceTags, `must be at most ${maxDeviceTags}`)
    .transform((list) => [...new Set(list)].sort())
    .nullish(),
});

@Injectable()
export class DeviceService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly devices: DeviceRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(REVOKE) private readonly revocation: Revoke,
  ) {}

  /** Sets a device's tags. */
  async update(actor: Actor, raw: unknown): Promise<Device> {
    const input = checkInput(updateInput, raw);
    const deviceId = checkId(input.id, 'device');
    return this.tenancy.inTenantOf(
      actor,
      'device',
      async (tx) => (await this.devices.find(tx, actor.mspId, deviceId))?.tenantId ?? null,
      async (tx) => {
        const before = await this.devices.find(tx, actor.mspId, deviceId);
        if (before === null) throw notFound('device');
        const tags = input.tags ?? before.tags;
        if (tags.join(' ') === before.tags.join(' ')) return before;
        await this.devices.setTags(tx, actor.mspId, deviceId, tags);
        const device = { ...before, tags, version: before.version + 1 };
        await tellDevice(tx, device);
        const details = { hostName: device.hostName, tags: tags.join(' '), tagsBefore: before.tags.join(' ') };
        await audit(tx, { action: 'device.changed', subjectId: deviceId, details, occurredAt: this.clock.now() });
        return device;
      },
    );
  }

  /** Revokes a device; again is harmless. */
  async revoke(actor: Actor, rawId: string): Promise<Device> {
    const deviceId = checkId(rawId, 'device');
    return this.tenancy.inTenantOf(
      actor,
      'device',
      async (tx) => (await this.devices.find(tx, actor.mspId, deviceId))?.tenantId ?? null,
      async (tx) => {
        const changed = await this.devices.revoke(tx, actor.mspId, deviceId);
        const device = await this.devices.find(tx, actor.mspId, deviceId);
        if (device === null) throw notFound('device');
        if (changed) {
          tx.afterCommit(() => this.revocation(deviceId));
          await tellDevice(tx, device);
          await audit(tx, {
            action: 'device.revoked',
            subjectId: deviceId,
            details: { hostName: device.hostName },
            occurredAt: this.clock.now(),
          });
        }
        return device;
      },
    );
  }

  async list(actor: Actor, tenantId: Id, page: PageRequest): Promise<Connection<Device>> {
    return connection(await this.tenancy.readTenants(actor, (tx) => this.devices.list(tx, actor.mspId, tenantId, page)), page);
  }

  async load(actor: Actor, ids: readonly Id[]): Promise<Device[]> {
    return this.tenancy.readTenants(actor, (tx) => this.devices.findMany(tx, actor.mspId, ids));
  }
}

/** Tells the other services what a device is now. */
export async function tellDevice(tx: TenantTx | SystemTx, device: Device): Promise<void> {
  const { mspId, tenantId, id: deviceId, kind, hostName, domain, tags, hpkeKey, active, version } = device;
  await emit(tx, 'device-changed', { mspId, tenantId, deviceId, kind, hostName, domain, tags: [...tags], hpkeKey, active, version });
}
