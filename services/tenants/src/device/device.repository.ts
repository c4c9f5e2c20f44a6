import { Injectable } from '@nestjs/common';
import type { Id, PageRequest } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { Device, DeviceKind } from './device.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  kind: DeviceKind;
  host_name: string;
  platform: string;
  domain: string | null;
  tags: string[];
  hardware_id: string;
  hpke_key: string;
  enrolled_with: Id;
  active: boolean;
  enrolled_at: Date;
  last_seen_at: Date | null;
  version: number;
}
const selection = `select d.msp_id, d.tenant_id, d.id, d.kind, d.host_name, d.platform, d.domain, d.tags, d.hardware_id, d.hpke_key, d.enrolled_with, d.active, d.enrolled_at,
  d.version, p.last_seen_at from device d left join device_presence p on p.msp_id = d.msp_id and p.id = d.id`;

@Injectable()
export class DeviceRepository {
  /** Inserts a device; false when its id is taken or its hardware is another active device of the tenant. */
  async insert(tx: Tx, device: Device): Promise<boolean> {
    const rows = await tx.query(
      `insert into device (msp_id, tenant_id, id, kind, host_name, platform, hardware_id, hpke_key, enrolled_with, enrolled_at, version, domain)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing returning id`,
      [
        ...[device.mspId, device.tenantId, device.id, device.kind, device.hostName, device.platform],
        ...[device.hardwareId, device.hpkeKey, device.enrolledWith, device.enrolledAt, device.version, device.domain],
      ],
    );
    return rows.length > 0;
  }

  async revoke(tx: Tx, mspId: Id, id: Id): Promise<boolean> {
    return (
      (
        await tx.query('update device set active = false, version = version + 1 where msp_id = $1 and id = $2 and active returning id', [
          mspId,
          id,
        ])
      ).length > 0
    );
  }

  /** Sets the device's tags and gives it a new version. */
  async setTags(tx: Tx, mspId: Id, id: Id, tags: readonly string[]): Promise<void> {
    await tx.query('update device set tags = $3, version = version + 1 where msp_id = $1 and id = $2', [mspId, id, tags]);
  }

  async find(tx: Tx, mspId: Id, id: Id): Promise<Device | null> {
    const [found] = await this.findMany(tx, mspId, [id]);
    return found ?? null;
  }

  async findMany(tx: Tx, mspId: Id, ids: readonly Id[]): Promise<Device[]> {
    return (await tx.query<Row>(`${selection} where d.msp_id = $1 and d.id = any($2)`, [mspId, ids])).map(asDevice);
  }

  async list(tx: Tx, mspId: Id, tenantId: Id, page: PageRequest): Promise<Device[]> {
    const rows = await tx.query<Row>(
      `${selection} where d.msp_id = $1 and d.tenant_id = $2 and ($3::uuid is null or d.id > $3) order by d.id limit $4`,
      [mspId, tenantId, page.after, page.first + 1],
    );
    return rows.map(asDevice);
  }

  /** Notes for many devices at once when they were last seen. */
  async seen(tx: SystemTx, seen: readonly { mspId: Id; tenantId: Id; id: Id; at: Date }[]): Promise<void> {
    await tx.query(
      `insert into device_presence (msp_id, tenant_id, id, last_seen_at)
       select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[])
       on conflict (msp_id, id) do update set last_seen_at = greatest(device_presence.last_seen_at, excluded.last_seen_at)`,
      [seen.map((one) => one.mspId), seen.map((one) => one.tenantId), seen.map((one) => one.id), seen.map((one) => one.at)],
    );
  }
}

function asDevice(row: Row): Device {
  return {
    mspId: row.msp_id,
    tenantId: row.tenant_id,
    id: row.id,
    kind: row.kind,
    hostName: row.host_name,
    platform: row.platform,
    domain: row.domain,
    tags: row.tags,
    hardwareId: row.hardware_id,
    hpkeKey: row.hpke_key,
    enrolledWith: row.enrolled_with,
    active: row.active,
    enrolledAt: row.enrolled_at,
    lastSeenAt: row.last_seen_at,
    version: row.version,
  };
}
