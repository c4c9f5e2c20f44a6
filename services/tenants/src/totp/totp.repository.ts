import { Injectable } from '@nestjs/common';
import type { RoleAssignment } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import { noFailures, type Failures } from './totp.domain.ts';

/** A technician's TOTP; seeds are wrapped. */
export interface Totp {
  seed: Buffer | null;
  pendingSeed: Buffer | null;
  lastStep: number | null;
}

/** Who may log in at a device by this address, and their seed. */
export interface Candidate {
  technicianId: Id;
  /** Held on the device's tenant or above. */
  roles: readonly RoleAssignment[];
  seed: Buffer | null;
  lastStep: number | null;
}

/** A technician's wrapped seed, for a device. */
export interface OfflineSeed {
  technicianId: Id;
  /** Held on the device's tenant or above. */
  roles: readonly RoleAssignment[];
  seed: Buffer;
}

@Injectable()
export class TotpRepository {
  async putPending(tx: Tx, owner: { mspId: Id; tenantId: Id; technicianId: Id }, wrappedSeed: Buffer): Promise<void> {
    await tx.query(
      `insert into totp (msp_id, tenant_id, id, pending_seed) values ($1, $2, $3, $4) on conflict (msp_id, id) do update set pending_seed = excluded.pending_seed`,
      [owner.mspId, owner.tenantId, owner.technicianId, wrappedSeed],
    );
  }

  /** Ends a technician's TOTP: the seed is gone. */
  async remove(tx: Tx, mspId: Id, technicianId: Id): Promise<void> {
    await tx.query('delete from totp where msp_id = $1 and id = $2', [mspId, technicianId]);
  }

  /** Locked until the transaction ends. */
  async lock(tx: Tx, mspId: Id, technicianId: Id): Promise<Totp | null> {
    const [row] = await tx.query<{ seed: Buffer | null; pending_seed: Buffer | null; last_step: string | null }>(
      'select seed, pending_seed, last_step from totp where msp_id = $1 and id = $2 for update',
      [mspId, technicianId],
    );
    return row === undefined
      ? null
      : { seed: row.seed, pendingSeed: row.pending_seed, lastStep: row.last_step === null ? null : Number(row.last_step) };
  }

  /** The wrapped seed of an enrolment that waits for its first code. */
  async pendingSeed(tx: Tx, mspId: Id, technicianId: Id): Promise<Buffer | null> {
    const [row] = await tx.query<{ pending_seed: Buffer | null }>('select pending_seed from totp where msp_id = $1 and id = $2', [
      mspId,
      technicianId,
    ]);
    return row?.pending_seed ?? null;
  }

  /** The pending seed becomes the one that counts. */
  async confirm(tx: Tx, mspId: Id, technicianId: Id, step: number, now: Date): Promise<void> {
    await tx.query(
      'update totp set seed = pending_seed, pending_seed = null, last_step = $3, confirmed_at = $4 where msp_id = $1 and id = $2',
      [mspId, technicianId, step, now],
    );
  }

  /** Uses a time step up; false when it, or a later one, was used before. */
  async useStep(tx: SystemTx, mspId: Id, technicianId: Id, step: number): Promise<boolean> {
    const rows = await tx.query(
      'update totp set last_step = $3 where msp_id = $1 and id = $2 and (last_step is null or last_step < $3) returning id',
      [mspId, technicianId, step],
    );
    return rows.length > 0;
  }

  /** The active technician with this address who holds a role on the device's tenant or above it. */
  async candidate(tx: SystemTx, device: { mspId: Id; tenantId: Id }, email: string): Promise<Candidate | null> {
    const [row] = await tx.query<{ id: Id; roles: RoleAssignment[]; seed: Buffer | null; last_step: string | null }>(
      `select t.id, held.roles, o.seed, o.last_step from technician t
       join tenant place on place.msp_id = t.msp_id and place.id = $2
       join lateral (select jsonb_agg(jsonb_build_object('tenantId', r.tenant_id, 'role', r.role)) as roles from role_assignment r
         where r.msp_id = t.msp_id and r.technician_id = t.id and place.path @> array[r.tenant_id]) held on held.roles is not null
       left join totp o on o.msp_id = t.msp_id and o.id = t.id and o.confirmed_at is not null
       where t.msp_id = $1 and t.email = $3 and t.active and t.joined_at is not null`,
      [device.mspId, device.tenantId, email],
    );
    return row === undefined
      ? null
      : { technicianId: row.id, roles: row.roles, seed: row.seed, lastStep: row.last_step === null ? null : Number(row.last_step) };
  }

  /**
   * The device's key and the confirmed seeds of those of `ids` who are active, have joined and hold a role on the device's
   * tenant or above it; null for a device that is not active.
   */
  async offline(
    tx: SystemTx,
    device: { mspId: Id; id: Id },
    ids: readonly Id[],
  ): Promise<{ hpkeKey: string; seeds: OfflineSeed[] } | null> {
    const [place] = await tx.query<{ hpke_key: string; path: Id[] }>(
      `select d.hpke_key, t.path from device d join tenant t on t.msp_id = d.msp_id and t.id = d.tenant_id
       where d.msp_id = $1 and d.id = $2 and d.active`,
      [device.mspId, device.id],
    );
    if (place === undefined) return null;
    const rows = await tx.query<{ id: Id; roles: RoleAssignment[]; seed: Buffer }>(
      `select t.id, held.roles, o.seed from technician t
       join totp o on o.msp_id = t.msp_id and o.id = t.id and o.confirmed_at is not null and o.seed is not null
       join lateral (select jsonb_agg(jsonb_build_object('tenantId', r.tenant_id, 'role', r.role)) as roles from role_assignment r
         where r.msp_id = t.msp_id and r.technician_id = t.id and r.tenant_id = any($3)) held on held.roles is not null
       where t.msp_id = $1 and t.id = any($2) and t.active and t.joined_at is not null`,
      [device.mspId, ids, place.path],
    );
    return { hpkeKey: place.hpke_key, seeds: rows.map((row) => ({ technicianId: row.id, roles: row.roles, seed: row.seed })) };
  }

  async isActiveDevice(tx: SystemTx, mspId: Id, deviceId: Id): Promise<boolean> {
    return (await tx.query('select 1 from device where msp_id = $1 and id = $2 and active', [mspId, deviceId])).length > 0;
  }

  /** The failures of each subject, in the given order, as they stand: nothing is made, nothing is locked. */
  async failures(tx: Tx, mspId: Id, subjects: readonly string[], now: Date): Promise<Failures[]> {
    return this.#select(tx, mspId, subjects, now, '');
  }

  /** The failures of each subject, in the given order, locked: tries about one subject are looked at one after the other. */
  async lockFailures(tx: Tx, owner: { mspId: Id; tenantId: Id }, subjects: readonly string[], now: Date): Promise<Failures[]> {
    // Rows are made and locked in one order everywhere, so that two tries never wait for each other in a circle.
    await tx.query(
      `insert into totp_failures (msp_id, tenant_id, subject, window_began_at) select $1, $2, subject, $4 from unnest($3::text[]) as subject order by subject on conflict do nothing`,
      [owner.mspId, owner.tenantId, subjects, now],
    );
    return this.#select(tx, owner.mspId, subjects, now, 'for update');
  }

  async #select(tx: Tx, mspId: Id, subjects: readonly string[], now: Date, lock: '' | 'for update'): Promise<Failures[]> {
    const rows = await tx.query<{ subject: string; failures: number; window_began_at: Date; locked_until: Date | null }>(
      `select subject, failures, window_began_at, locked_until from totp_failures where msp_id = $1 and subject = any($2) order by subject ${lock}`,
      [mspId, subjects],
    );
    const bySubject = new Map(
      rows.map((row) => [row.subject, { count: row.failures, windowBeganAt: row.window_began_at, lockedUntil: row.locked_until }]),
    );
    return subjects.map((subject) => bySubject.get(subject) ?? noFailures(now));
  }

  async saveFailures(tx: Tx, mspId: Id, subject: string, failures: Failures): Promise<void> {
    await tx.query('update totp_failures set failures = $3, window_began_at = $4, locked_until = $5 where msp_id = $1 and subject = $2', [
      mspId,
      subject,
      failures.count,
      failures.windowBeganAt,
      failures.lockedUntil,
    ]);
  }

  /** Removes up to 500 rows of failures whose window began before `before` and whose lock is over; answers how many. */
  async sweepFailures(tx: SystemTx, before: Date, now: Date): Promise<number> {
    const rows = await tx.query(
      `delete from totp_failures f using (
         select msp_id, subject from totp_failures
         where window_began_at < $1 and (locked_until is null or locked_until < $2)
         order by window_began_at limit 500 for update skip locked) old
       where f.msp_id = old.msp_id and f.subject = old.subject returning f.subject`,
      [before, now],
    );
    return rows.length;
  }
}
