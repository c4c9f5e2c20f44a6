import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, TenantTx, Tx } from '@stint/tenancy';
import type { Cloud } from '../graph/cloud.domain.ts';
import type { ConnectionState, EntraConnection } from './connection.domain.ts';
import type { ConnectionProblem, TenantKnowledge } from './finding.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  state: ConnectionState;
  entra_tenant_id: string;
  cloud: Cloud;
  client_id: string;
  consented_at: Date | null;
  problems: ConnectionProblem[];
  facts: TenantKnowledge | null;
  verified_at: Date | null;
  verify_due_at: Date | null;
  version: number;
}
const columns =
  'msp_id, tenant_id, state, entra_tenant_id, cloud, client_id, consented_at, problems, facts, verified_at, verify_due_at, version';

/** Rows of connections. */
@Injectable()
export class ConnectionRepository {
  async find(tx: Tx, mspId: Id, tenantId: Id): Promise<EntraConnection | null> {
    const [row] = await tx.query<Row>(`select ${columns} from entra_connection where msp_id = $1 and id = $2`, [mspId, tenantId]);
    return row === undefined ? null : asConnection(row);
  }

  /** Those of several tenants, where there is one. */
  async several(tx: Tx, mspId: Id, tenantIds: readonly Id[]): Promise<EntraConnection[]> {
    const sql = `select ${columns} from entra_connection where msp_id = $1 and id = any($2)`;
    return (await tx.query<Row>(sql, [mspId, tenantIds])).map(asConnection);
  }

  /** The connection, which nobody else changes until the transaction ends. */
  async locked(tx: TenantTx | SystemTx, mspId: Id, tenantId: Id): Promise<EntraConnection | null> {
    const sql = `select ${columns} from entra_connection where msp_id = $1 and id = $2 for update`;
    const [row] = await tx.query<Row>(sql, [mspId, tenantId]);
    return row === undefined ? null : asConnection(row);
  }

  /** Keeps a connection that begins, in the place of one that never worked or was ended; false when its Entra tenant is another tenant's. */
  async begin(tx: TenantTx, { mspId, tenantId, state, entraTenantId, cloud, clientId, version }: EntraConnection): Promise<boolean> {
    await tx.query(`delete from entra_connection where msp_id = $1 and id = $2 and state in ('SETUP', 'DISCONNECTED')`, [mspId, tenantId]);
    const rows = await tx.query(
      `insert into entra_connection (msp_id, tenant_id, id, state, entra_tenant_id, cloud, client_id, version)
       values ($1, $2, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id`,
      [mspId, tenantId, state, entraTenantId, cloud, clientId, version],
    );
    return rows.length === 1;
  }

  /** Saves what changed, if nobody else has changed it since it was read; false otherwise. `version` is one more than what was read. */
  async save(tx: TenantTx | SystemTx, connection: EntraConnection): Promise<boolean> {
    const { mspId, tenantId, state, consentedAt, problems, facts, verifiedAt, verifyDueAt, version } = connection;
    const rows = await tx.query(
      `update entra_connection set state = $3, consented_at = $4, problems = $5, facts = $6, verified_at = $7, verify_due_at = $8, version = $9
       where msp_id = $1 and id = $2 and version = $9 - 1 returning id`,
      [mspId, tenantId, state, consentedAt, JSON.stringify(problems), JSON.stringify(facts), verifiedAt, verifyDueAt, version],
    );
    return rows.length === 1;
  }

  /** Takes connections that are due to be verified, and puts off when they are due for others who look. */
  async takeDue(tx: SystemTx, now: Date, until: Date, limit: number): Promise<Pick<EntraConnection, 'mspId' | 'tenantId'>[]> {
    return tx.query(
      `update entra_connection c set verify_due_at = $2 from (
         select msp_id, id from entra_connection where verify_due_at <= $1 order by verify_due_at limit $3 for update skip locked) due
       where c.msp_id = due.msp_id and c.id = due.id returning c.msp_id as "mspId", c.tenant_id as "tenantId"`,
      [now, until, limit],
    );
  }

  /** Connections that are being ended, locked. */
  async leaving(tx: SystemTx, after: Id | null, limit: number): Promise<EntraConnection[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from entra_connection where state = 'DISCONNECTING' and ($1::uuid is null or id > $1)
       order by id limit $2 for update skip locked`,
      [after, limit],
    );
    return rows.map(asConnection);
  }
}

function asConnection(row: Row): EntraConnection {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, state: row.state, entraTenantId: row.entra_tenant_id, cloud: row.cloud },
    ...{ clientId: row.client_id, consentedAt: row.consented_at, problems: row.problems, facts: row.facts },
    ...{ verifiedAt: row.verified_at, verifyDueAt: row.verify_due_at, version: row.version },
  };
}
