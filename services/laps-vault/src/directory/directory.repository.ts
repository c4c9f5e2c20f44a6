import { Injectable } from '@nestjs/common';
import { lapsSettings, type LapsSettings, type Payload } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { DeviceCopy, TechnicianCopy } from './directory.domain.ts';

interface DeviceRow {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  kind: DeviceCopy['kind'];
  host_name: string;
  active: boolean;
  revision: number;
}
const deviceColumns = 'msp_id, tenant_id, id, kind, host_name, active, revision';

/** Our copies of tenants, technicians, devices and settings, and each device's revision. */
@Injectable()
export class DirectoryRepository {
  /** The technician, locked against a change until the transaction ends: what is decided on it stays true. */
  async technicianHeld(tx: Tx, mspId: Id, id: Id): Promise<TechnicianCopy | null> {
    const [row] = await tx.query<{ id: Id; display_name: string; active: boolean; group_ids: Id[] }>(
      'select id, display_name, active, group_ids from technician where msp_id = $1 and id = $2 for share',
      [mspId, id],
    );
    return row === undefined ? null : { id: row.id, displayName: row.display_name, active: row.active, groupIds: row.group_ids };
  }

  /** Ancestors of a tenant, from the MSP down to itself; empty for one that is not visible. */
  async path(tx: Tx, mspId: Id, tenantId: Id): Promise<Id[]> {
    const [row] = await tx.query<{ path: Id[] }>('select path from tenant where msp_id = $1 and id = $2', [mspId, tenantId]);
    return row?.path ?? [];
  }

  /** Those of `ids` that are visible in the scope. */
  async visible(tx: Tx, mspId: Id, kind: 'tenant' | 'device', ids: readonly Id[]): Promise<Set<Id>> {
    const rows = await tx.query<{ id: Id }>(`select id from ${kind} where msp_id = $1 and id = any($2)`, [mspId, ids]);
    return new Set(rows.map((row) => row.id));
  }

  async device(tx: Tx, mspId: Id, id: Id): Promise<DeviceCopy | null> {
    const [row] = await tx.query<DeviceRow>(`select ${deviceColumns} from device where msp_id = $1 and id = $2`, [mspId, id]);
    return row === undefined ? null : asDevice(row);
  }

  async hostNames(tx: Tx, mspId: Id, ids: readonly Id[]): Promise<Map<Id, string>> {
    const rows = await tx.query<DeviceRow>(`select ${deviceColumns} from device where msp_id = $1 and id = any($2)`, [mspId, ids]);
    return new Map(rows.map(asDevice).map(({ id, hostName }) => [id, hostName]));
  }

  /** The device, locked: whoever changes one of its accounts does this first. */
  async deviceLocked(tx: Tx, mspId: Id, id: Id): Promise<DeviceCopy | null> {
    const [row] = await tx.query<DeviceRow>(`select ${deviceColumns} from device where msp_id = $1 and id = $2 for update`, [mspId, id]);
    return row === undefined ? null : asDevice(row);
  }

  /** A new revision of what the device's break-glass accounts must be. */
  async nextRevision(tx: Tx, mspId: Id, deviceId: Id): Promise<number> {
    const [row] = await tx.query<{ revision: number }>(
      'update device set revision = revision + 1 where msp_id = $1 and id = $2 returning revision',
      [mspId, deviceId],
    );
    if (row === undefined) throw new Error(`No device ${deviceId} to give a new revision.`);
    return row.revision;
  }

  /** What holds in a tenant; null until services/jit-policy has told. */
  async settings(tx: Tx, mspId: Id, tenantId: Id): Promise<LapsSettings | null> {
    const [row] = await tx.query<{ effective: unknown }>('select effective from laps_settings where msp_id = $1 and id = $2', [
      mspId,
      tenantId,
    ]);
    return row === undefined ? null : lapsSettings.parse(row.effective);
  }

  /** What holds in several tenants. */
  async settingsOf(tx: Tx, mspId: Id, tenantIds: readonly Id[]): Promise<Map<Id, LapsSettings>> {
    const rows = await tx.query<{ id: Id; effective: unknown }>(
      'select id, effective from laps_settings where msp_id = $1 and id = any($2)',
      [mspId, tenantIds],
    );
    return new Map(rows.map(({ id, effective }) => [id, lapsSettings.parse(effective)]));
  }

  async saveTenant(tx: SystemTx, tenant: Payload<'tenant-changed'>): Promise<void> {
    await tx.query(
      `insert into tenant (msp_id, tenant_id, id, parent_id, path, version) values ($1, $2, $2, $3, $4, $5)
       on conflict (msp_id, id) do update set parent_id = excluded.parent_id, path = excluded.path, version = excluded.version
       where tenant.version < excluded.version`,
      [tenant.mspId, tenant.tenantId, tenant.parentId, tenant.path, tenant.version],
    );
  }

  async saveTechnician(tx: SystemTx, technician: Payload<'technician-changed'>): Promise<void> {
    await tx.query(
      `insert into technician (msp_id, tenant_id, id, display_name, active, group_ids, version) values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (msp_id, id) do update set display_name = excluded.display_name, active = excluded.active, group_ids = excluded.group_ids,
         version = excluded.version
       where technician.version < excluded.version`,
      [
        ...[technician.mspId, technician.tenantId, technician.technicianId, technician.displayName, technician.active],
        ...[technician.groupIds, technician.version],
      ],
    );
  }

  /** Applies the message if it is newer than the copy; false when it is old. */
  async saveDevice(tx: SystemTx, device: Payload<'device-changed'>): Promise<boolean> {
    const rows = await tx.query(
      `insert into device (msp_id, tenant_id, id, kind, host_name, domain, active, version) values ($1, $2, $3, $4, $5, $6, $7, $8)
       on conflict (msp_id, id) do update set kind = excluded.kind, host_name = excluded.host_name, domain = excluded.domain,
         active = excluded.active, version = excluded.version
       where device.version < excluded.version returning id`,
      [device.mspId, device.tenantId, device.deviceId, device.kind, device.hostName, device.domain, device.active, device.version],
    );
    return rows.length === 1;
  }

  /** Applies the message if it is newer than the copy; false when it is old. */
  async saveSettings(tx: SystemTx, { mspId, tenantId, settings, version }: Payload<'laps-settings-changed'>): Promise<boolean> {
    const rows = await tx.query(
      `insert into laps_settings (msp_id, tenant_id, id, effective, version) values ($1, $2, $2, $3, $4)
       on conflict (msp_id, id) do update set effective = excluded.effective, version = excluded.version
       where laps_settings.version < excluded.version returning id`,
      [mspId, tenantId, JSON.stringify(settings), version],
    );
    return rows.length === 1;
  }
}

function asDevice(row: DeviceRow): DeviceCopy {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, kind: row.kind },
    ...{ hostName: row.host_name, active: row.active, revision: row.revision },
  };
}
