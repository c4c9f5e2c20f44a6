import { Injectable } from '@nestjs/common';
import type { Id, PageRequest } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { DeviceKind } from '../device/device.domain.ts';
import type { EnrollmentToken } from './enrollment-token.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  kind: DeviceKind;
  uses_left: number;
  expires_at: Date;
  revoked: boolean;
}
const columns = 'msp_id, tenant_id, id, kind, uses_left, expires_at, revoked';

@Injectable()
export class EnrollmentTokenRepository {
  /** Inserts a token's row; false when its id is taken. */
  async insert(tx: Tx, token: EnrollmentToken, tokenHash: Buffer): Promise<boolean> {
    const rows = await tx.query(
      `insert into enrollment_token (msp_id, tenant_id, id, token_hash, kind, uses_left, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
       on conflict do nothing returning id`,
      [token.mspId, token.tenantId, token.id, tokenHash, token.kind, token.usesLeft, token.expiresAt],
    );
    return rows.length > 0;
  }

  /** The token with this hash, whatever its state; locked, so that its uses are counted one by one. */
  async lockByHash(tx: SystemTx, tokenHash: Buffer): Promise<EnrollmentToken | null> {
    const [row] = await tx.query<Row>(`select ${columns} from enrollment_token where token_hash = $1 for update`, [tokenHash]);
    return row === undefined ? null : asToken(row);
  }

  async takeUse(tx: SystemTx, token: EnrollmentToken): Promise<void> {
    await tx.query('update enrollment_token set uses_left = uses_left - 1 where msp_id = $1 and id = $2', [token.mspId, token.id]);
  }

  async revoke(tx: Tx, mspId: Id, id: Id): Promise<EnrollmentToken | null> {
    const [row] = await tx.query<Row>(`update enrollment_token set revoked = true where msp_id = $1 and id = $2 returning ${columns}`, [
      mspId,
      id,
    ]);
    return row === undefined ? null : asToken(row);
  }

  async find(tx: Tx, mspId: Id, id: Id): Promise<EnrollmentToken | null> {
    const [row] = await tx.query<Row>(`select ${columns} from enrollment_token where msp_id = $1 and id = $2`, [mspId, id]);
    return row === undefined ? null : asToken(row);
  }

  async list(tx: Tx, mspId: Id, tenantId: Id, page: PageRequest): Promise<EnrollmentToken[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from enrollment_token where msp_id = $1 and tenant_id = $2 and ($3::uuid is null or id > $3) order by id limit $4`,
      [mspId, tenantId, page.after, page.first + 1],
    );
    return rows.map(asToken);
  }
}

function asToken(row: Row): EnrollmentToken {
  return {
    mspId: row.msp_id,
    tenantId: row.tenant_id,
    id: row.id,
    kind: row.kind,
    usesLeft: row.uses_left,
    expiresAt: row.expires_at,
    revoked: row.revoked,
  };
}
