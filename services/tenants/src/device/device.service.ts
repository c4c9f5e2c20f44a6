import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '@stint/contracts';
import { connection, notFound, type Clock, type Connection, type Id, type PageRequest } from '@stint/kernel';
import { audit, emit } from '@stint/messaging';
import { Tenancy, type SystemTx, type TenantTx } from '@stint/tenancy';
import { checkId } from '../tenant/tenant.service.ts';
import { CLOCK, REVOKE, type Revoke } from '../tokens.ts';
import type { Device } from './device.domain.ts';
import { DeviceRepository } from './device.repository.ts';

@Injectable()
export class DeviceService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly devices: DeviceRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(REVOKE) private readonly revocation: Revoke,
  ) {}

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
  const { mspId, tenantId, id: deviceId, kind, hostName, active, version } = device;
  await emit(tx, 'device-changed', { mspId, tenantId, deviceId, kind, hostName, active, version });
}
