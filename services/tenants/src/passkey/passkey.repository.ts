import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { ChallengePurpose, Passkey } from './passkey.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  technician_id: Id;
  credential_id: string;
  public_key: string;
  algorithm: number;
  counter: string;
  backed_up: boolean;
  label: string;
  created_at: Date;
  last_used_at: Date | null;
  failures: number;
}
const columns =
  'msp_id, tenant_id, id, technician_id, credential_id, public_key, algorithm, counter, backed_up, label, created_at, last_used_at, failures';

/** What a challenge was made for; a response to it counts for nothing else. */
export interface Challenge {
  purpose: ChallengePurpose;
  boundTo: string;
}

/** Passkeys of technicians, and the challenges that authenticators are asked to sign. */
@Injectable()
export class PasskeyRepository {
  /** Adds a passkey; false when its credential id is registered already. */
  async insert(tx: SystemTx, passkey: Passkey): Promise<boolean> {
    const rows = await tx.query(
      `insert into passkey (msp_id, tenant_id, id, technician_id, credential_id, public_key, algorithm, counter, backed_up, label, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing returning id`,
      [
        ...[passkey.mspId, passkey.tenantId, passkey.id, passkey.technicianId, passkey.credentialId, passkey.publicKey],
        ...[passkey.algorithm, passkey.counter, passkey.backedUp, passkey.label, passkey.createdAt],
      ],
    );
    return rows.length > 0;
  }

  /** The passkeys of several technicians that are visible in the scope, oldest first. */
  async ofTechnicians(tx: Tx, mspId: Id, technicianIds: readonly Id[]): Promise<Passkey[]> {
    const rows = await tx.query<Row>(`select ${columns} from passkey where msp_id = $1 and technician_id = any($2) order by id`, [
      mspId,
      technicianIds,
    ]);
    return rows.map(asPasskey);
  }

  /** The passkey with this credential id, of whatever MSP; locked until the transaction ends. */
  async lockByCredential(tx: SystemTx, credentialId: string): Promise<Passkey | null> {
    const [row] = await tx.query<Row>(`select ${columns} from passkey where credential_id = $1 for update`, [credentialId]);
    return row === undefined ? null : asPasskey(row);
  }

  /** Notes a right assertion. */
  async used(tx: SystemTx, passkey: Passkey, counter: number, backedUp: boolean, now: Date): Promise<void> {
    await tx.query('update passkey set counter = $3, backed_up = $4, last_used_at = $5, failures = 0 where msp_id = $1 and id = $2', [
      ...[passkey.mspId, passkey.id, counter, backedUp, now],
    ]);
  }

  /** Counts a wrong assertion. */
  async failed(tx: SystemTx, passkey: Passkey): Promise<void> {
    await tx.query('update passkey set failures = failures + 1 where msp_id = $1 and id = $2', [passkey.mspId, passkey.id]);
  }

  /** Removes one passkey of a technician, or all. */
  async remove(tx: SystemTx, mspId: Id, technicianId: Id, ids: readonly Id[] | 'all'): Promise<void> {
    await tx.query('delete from passkey where msp_id = $1 and technician_id = $2 and ($3::uuid[] is null or id = any($3))', [
      ...[mspId, technicianId, ids === 'all' ? null : ids],
    ]);
  }

  async putChallenge(tx: SystemTx, hash: Buffer, challenge: Challenge & { technicianId: Id | null; expiresAt: Date }): Promise<void> {
    await tx.query(
      'insert into passkey_challenge (challenge_hash, purpose, bound_to, technician_id, expires_at) values ($1, $2, $3, $4, $5)',
      [hash, challenge.purpose, challenge.boundTo, challenge.technicianId, challenge.expiresAt],
    );
  }

  /** Uses a challenge up; null when it is unknown, used, over or for something else. */
  async takeChallenge(tx: SystemTx, hash: Buffer, challenge: Challenge, now: Date): Promise<{ technicianId: Id | null } | null> {
    const [row] = await tx.query<{ technician_id: Id | null }>(
      'delete from passkey_challenge where challenge_hash = $1 and purpose = $2 and bound_to = $3 and expires_at > $4 returning technician_id',
      [hash, challenge.purpose, challenge.boundTo, now],
    );
    return row === undefined ? null : { technicianId: row.technician_id };
  }

  /** Removes challenges that nobody can use any more; answers how many, at most 1,000. */
  async sweepChallenges(tx: SystemTx, now: Date): Promise<number> {
    const rows = await tx.query(
      `delete from passkey_challenge where challenge_hash in
       (select challenge_hash from passkey_challenge where expires_at <= $1 limit 1000 for update skip locked) returning 1`,
      [now],
    );
    return rows.length;
  }
}

function asPasskey(row: Row): Passkey {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, technicianId: row.technician_id },
    ...{ credentialId: row.credential_id, publicKey: row.public_key, algorithm: row.algorithm, counter: Number(row.counter) },
    ...{ backedUp: row.backed_up, label: row.label, createdAt: row.created_at, lastUsedAt: row.last_used_at, failures: row.failures },
  };
}
