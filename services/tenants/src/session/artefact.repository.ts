import { Injectable } from '@nestjs/common';
import { hashToken } from '@stint/crypto';
import type { Id } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';
import type { ArtefactModel, RefreshTokenState } from './session.domain.ts';

export interface Artefact extends RefreshTokenState {
  payload: string;
  sessionId: Id | null;
}

export interface NewArtefact {
  model: ArtefactModel;
  id: string;
  payload: string;
  sessionId: Id | null;
  rotation: number;
  expiresAt: Date;
}

/** Stands in a payload where the artefact's own id was; no JSON of the authorization server has it. */
const ownId = '\u241fid\u241f';

/** Artefacts of the authorization server, by the hashes of their ids. */
@Injectable()
export class ArtefactRepository {
  async put(tx: SystemTx, artefact: NewArtefact): Promise<void> {
    const { model, id, sessionId, rotation, expiresAt } = artefact;
    await tx.query(
      `insert into sign_in_artefact (model, id_hash, payload, session_id, rotation, expires_at) values ($1, $2, $3, $4, $5, $6)
       on conflict (model, id_hash) do update set payload = excluded.payload, expires_at = excluded.expires_at`,
      [model, hashToken(id), artefact.payload.replaceAll(id, ownId), sessionId, rotation, expiresAt],
    );
  }

  async find(tx: SystemTx, model: ArtefactModel, id: string, now: Date): Promise<Artefact | null> {
    const [row] = await tx.query<{ payload: string; session_id: Id | null; rotation: number; superseded: boolean; used: boolean }>(
      `select payload::text as payload, session_id, rotation, superseded, used_at is not null as used
       from sign_in_artefact where model = $1 and id_hash = $2 and expires_at > $3`,
      [model, hashToken(id), now],
    );
    if (row === undefined) return null;
    return {
      payload: row.payload.replaceAll(ownId, id),
      sessionId: row.session_id,
      rotation: row.rotation,
      superseded: row.superseded,
      used: row.used,
    };
  }

  /** The other refresh tokens of a session. */
  async othersOf(tx: SystemTx, sessionId: Id, id: string): Promise<RefreshTokenState[]> {
    return tx.query(
      `select rotation, superseded, used_at is not null as used from sign_in_artefact
       where session_id = $1 and model = 'REFRESH_TOKEN' and id_hash <> $2`,
      [sessionId, hashToken(id)],
    );
  }

  async markUsed(tx: SystemTx, model: ArtefactModel, id: string, now: Date): Promise<void> {
    await tx.query('update sign_in_artefact set used_at = $3 where model = $1 and id_hash = $2', [model, hashToken(id), now]);
  }

  /** The unused refresh tokens of a session from a rotation on count no more: others take their place. */
  async supersede(tx: SystemTx, sessionId: Id, fromRotation: number): Promise<void> {
    await tx.query(
      `update sign_in_artefact set superseded = true
       where session_id = $1 and model = 'REFRESH_TOKEN' and rotation >= $2 and used_at is null and not superseded`,
      [sessionId, fromRotation],
    );
  }

  /** Counts a try to sign in; answers how many it were so far, this one included, or null for one that is not there. */
  async countTry(tx: SystemTx, model: ArtefactModel, id: string, now: Date): Promise<number | null> {
    const [row] = await tx.query<{ tries: number }>(
      'update sign_in_artefact set tries = tries + 1 where model = $1 and id_hash = $2 and expires_at > $3 returning tries',
      [model, hashToken(id), now],
    );
    return row?.tries ?? null;
  }

  async remove(tx: SystemTx, model: ArtefactModel, id: string): Promise<void> {
    await tx.query('delete from sign_in_artefact where model = $1 and id_hash = $2', [model, hashToken(id)]);
  }

  async removeOfSessions(tx: SystemTx, sessionIds: readonly Id[]): Promise<void> {
    await tx.query('delete from sign_in_artefact where session_id = any($1)', [sessionIds]);
  }

  /** Removes up to a thousand artefacts that are over; answers how many. */
  async sweep(tx: SystemTx, now: Date): Promise<number> {
    const rows = await tx.query(
      `delete from sign_in_artefact where (model, id_hash) in
         (select model, id_hash from sign_in_artefact where expires_at < $1 limit 1000 for update skip locked) returning model`,
      [now],
    );
    return rows.length;
  }
}
