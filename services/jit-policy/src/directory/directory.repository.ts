import type { Id } from '@stint/kernel';
import type { Payload } from '@stint/contracts';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { DeviceCopy, TechnicianCopy, TenantCopy } from './directory.domain.ts';

interface TenantRow {
  msp_id: Id;
  id: Id;
  path: Id[];
  name: string;
}
interface TechnicianRow {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  email: string;
  display_name: string;
  active: boolean;
  assignments: TechnicianCopy['assignments'];
  group_ids: Id[];
  totp_enrolled: boolean;
  keys: TechnicianCopy['keys'];
}
interface DeviceRow {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  kind: DeviceCopy['kind'];
  host_name: string;
  domain: string | null;
  tags: string[];
  hpke_key: string;
  active: boolean;
  revision: number;
  offline_revision: number;
}

/** Our copies of tenants, technicians and devices, and each device's revision. */
export class DirectoryRepository {
  async tenant(tx: Tx, mspId: Id, id: Id): Promise<TenantCopy | null> {
    const [row] = await tx.query<TenantRow>('select msp_id, id, path, name from tenant where msp_id = $1 and id = $2', [mspId, id]);
    return row === undefined ? null : { mspId: row.msp_id, id: row.id, path: row.path, name: row.name };
  }

  /** The technician, locked against a change until the transaction ends: what is decided on it stays true. */
  async technicianHeld(tx: Tx, mspId: Id, id: Id): Promise<TechnicianCopy | null> {
    const [row] = await tx.query<TechnicianRow>(`select ${technicianColumns} from technician where msp_id = $1 and id = $2 for share`, [
      mspId,
      id,
    ]);
    return row === undefined ? null : asTechnician(row);
  }

  /** The technician, locked for one transaction alone: whoever decides on it waits, or has decided before. */
  async technicianLocked(tx: SystemTx, mspId: Id, id: Id): Promise<TechnicianCopy | null> {
    const [row] = await tx.query<TechnicianRow>(`select ${technicianColumns} from technician where msp_id = $1 and id = $2 for update`, [
      mspId,
      id,
    ]);
    return row === undefined ? null : asTechnician(row);
  }

  /** The same without a lock. */
  async technician(tx: Tx, mspId: Id, id: Id): Promise<TechnicianCopy | null> {
    const [row] = await tx.query<TechnicianRow>(`select ${technicianColumns} from technician where msp_id = $1 and id = $2`, [mspId, id]);
    return row === undefined ? null : asTechnician(row);
  }

  /** Active technicians with a role on one of the tenants of `path`, in the group if one is named; at most 500. */
  async techniciansAssignedOn(tx: Tx, mspId: Id, path: readonly Id[], groupId: Id | null): Promise<TechnicianCopy[]> {
    const rows = await tx.query<TechnicianRow>(
      `select ${technicianColumns} from technician where msp_id = $1 and active and ($3::uuid is null or $3 = any(group_ids))
         and exists (select 1 from jsonb_array_elements(assignments) a where (a ->> 'tenantId')::uuid = any($2::uuid[])) order by id limit 500`,
      [mspId, path, groupId],
    );
    return rows.map(asTechnician);
  }

  /** The device, locked: its logins, grants and accounts change one after the other. */
  async deviceLocked(tx: Tx, mspId: Id, id: Id): Promise<DeviceCopy | null> {
    const [row] = await tx.query<DeviceRow>(`select ${deviceColumns} from device where msp_id = $1 and id = $2 for update`, [mspId, id]);
    return row === undefined ? null : asDevice(row);
  }

  /** The same without waiting: null also while somebody else has it locked. */
  async deviceIfFree(tx: Tx, mspId: Id, id: Id): Promise<DeviceCopy | null> {
    const [row] = await tx.query<DeviceRow>(`select ${deviceColumns} from device where msp_id = $1 and id = $2 for update skip locked`, [
      mspId,
      id,
    ]);
    return row === undefined ? null : asDevice(row);
  }

  async device(tx: Tx, mspId: Id, id: Id): Promise<DeviceCopy | null> {
    const [row] = await tx.query<DeviceRow>(`select ${deviceColumns} from device where msp_id = $1 and id = $2`, [mspId, id]);
    return row === undefined ? null : asDevice(row);
  }

  /** Those of `ids` that are visible in the scope. */
  async visible(tx: Tx, mspId: Id, kind: 'tenant' | 'device' | 'technician', ids: readonly Id[]): Promise<Set<Id>> {
    const rows = await tx.query<{ id: Id }>(`select id from ${kind} where msp_id = $1 and id = any($2)`, [mspId, ids]);
    return new Set(rows.map((row) => row.id));
  }

  /** A new revision of the device's desired state. */
  async nextRevision(tx: Tx, mspId: Id, deviceId: Id): Promise<number> {
    const [row] = await tx.query<{ revision: number }>(
      'update device set revision = revision + 1 where msp_id = $1 and id = $2 returning revision',
      [mspId, deviceId],
    );
    if (row === undefined) throw new Error(`No device ${deviceId} to give a new revision.`);
    return row.revision;
  }

  /** Applies the message if it is newer than the copy; null when it is old, and otherwise whether it is new or has another path now. */
  async saveTenant(tx: SystemTx, tenant: Payload<'tenant-changed'>): Promise<{ isNew: boolean; moved: boolean } | null> {
    const [before] = await tx.query<{ path: Id[] }>('select path from tenant where msp_id = $1 and id = $2 for update', [
      tenant.mspId,
      tenant.tenantId,
    ]);
    const [row] = await tx.query<{ is_new: boolean }>(
      `insert into tenant (msp_id, tenant_id, id, parent_id, path, name, version) values ($1, $2, $2, $3, $4, $5, $6)
       on conflict (msp_id, id) do update set parent_id = excluded.parent_id, path = excluded.path, name = excluded.name, version = excluded.version
       where tenant.version < excluded.version returning xmax = 0 as is_new`,
      [tenant.mspId, tenant.tenantId, tenant.parentId, tenant.path, tenant.name, tenant.version],
    );
    if (row === undefined) return null;
    return { isNew: row.is_new, moved: before !== undefined && before.path.join() !== tenant.path.join() };
  }

  /** Applies the message if it is newer than the copy; false when it is old. */
  async saveTechnician(tx: SystemTx, technician: Payload<'technician-changed'>): Promise<boolean> {
    const rows = await tx.query(
      `insert into technician (msp_id, tenant_id, id, email, display_name, active, assignments, group_ids, totp_enrolled, keys, version)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '[]', $10)
       on conflict (msp_id, id) do update set email = excluded.email, display_name = excluded.display_name, active = excluded.active,
         assignments = excluded.assignments, group_ids = excluded.group_ids, totp_enrolled = excluded.totp_enrolled, version = excluded.version
       where technician.version < excluded.version returning id`,
      [
        technician.mspId,
        technician.tenantId,
        technician.technicianId,
        technician.email,
        technician.displayName,
        technician.active,
        JSON.stringify(technician.assignments),
        technician.groupIds,
        technician.totpEnrolled,
        technician.version,
      ],
    );
    return rows.length === 1;
  }

  /** The technician's keys; they may arrive before the technician, and then wait as a row that nobody can use. */
  async saveKeys(tx: SystemTx, technician: Payload<'technician-keys-changed'>): Promise<void> {
    await tx.query(
      `insert into technician (msp_id, tenant_id, id, email, display_name, active, keys, keys_version, version)
       values ($1, $2, $3, '', '', false, $4, $5, 0)
       on conflict (msp_id, id) do update set keys = excluded.keys, keys_version = excluded.keys_version
       where technician.keys_version < excluded.keys_version`,
      [technician.mspId, technician.tenantId, technician.technicianId, JSON.stringify(technician.keys), technician.version],
    );
  }

  async saveGroup(tx: SystemTx, group: Payload<'group-changed'>): Promise<void> {
    await tx.query(
      `insert into technician_group (msp_id, tenant_id, id, name, version) values ($1, $2, $3, $4, $5)
       on conflict (msp_id, id) do update set name = excluded.name, version = excluded.version
       where technician_group.version < excluded.version`,
      [group.mspId, group.tenantId, group.groupId, group.name, group.version],
    );
  }

  async saveDevice(tx: SystemTx, device: Payload<'device-changed'>): Promise<boolean> {
    const rows = await tx.query(
      `insert into device (msp_id, tenant_id, id, kind, host_name, active, version, domain, tags, hpke_key)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       on conflict (msp_id, id) do update set kind = excluded.kind, host_name = excluded.host_name, active = excluded.active,
         version = excluded.version, domain = excluded.domain, tags = excluded.tags, hpke_key = excluded.hpke_key
       where device.version < excluded.version returning id`,
      [
        ...[device.mspId, device.tenantId, device.deviceId, device.kind, device.hostName, device.active, device.version],
        ...[device.domain, device.tags, device.hpkeKey],
      ],
    );
    return rows.length === 1;
  }
}

const technicianColumns = 'msp_id, tenant_id, id, email, display_name, active, assignments, group_ids, totp_enrolled, keys';

function asTechnician(row: TechnicianRow): TechnicianCopy {
  const { email, active, assignments, keys } = row;
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, email, displayName: row.display_name, active, assignments, keys },
    ...{ groupIds: row.group_ids, totpEnrolled: row.totp_enrolled },
  };
}

const deviceColumns = 'msp_id, tenant_id, id, kind, host_name, domain, tags, hpke_key, active, revision, offline_revision';

function asDevice(row: DeviceRow): DeviceCopy {
  const { kind, domain, tags, active, revision } = row;
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, kind, hostName: row.host_name },
    ...{ domain, tags, hpkeKey: row.hpke_key, active, revision, offlineRevision: row.offline_revision },
  };
}
