import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { IdentityProvider } from './identity-provider.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  issuer: string;
  client_id: string;
  client_secret: Buffer | null;
  client_key: Buffer | null;
  client_jwk: Record<string, unknown> | null;
  passkey_too: boolean;
  required: boolean;
}
const columns = [
  'msp_id',
  'tenant_id',
  'id',
  'issuer',
  'client_id',
  'client_secret',
  'client_key',
  'client_jwk',
  'passkey_too',
  'required',
];
const selected = columns.map((column) => `p.${column}`).join(', ');

/** Identity providers, whom they mean by whom, and sign-ins that are away at one. */
@Injectable()
export class IdentityProviderRepository {
  /** Sets the tenant's identity provider. The id of an earlier one is replaced and its links go with it: another issuer means others by the same subjects. */
  async put(tx: Tx, provider: IdentityProvider): Promise<void> {
    await this.remove(tx, provider.mspId, provider.tenantId);
    await tx.query(`insert into identity_provider (${columns.join(', ')}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, [
      ...[provider.mspId, provider.tenantId, provider.id, provider.issuer, provider.clientId, provider.clientSecret, provider.clientKey],
      ...[provider.clientJwk === null ? null : JSON.stringify(provider.clientJwk), provider.passkeyToo, provider.required],
    ]);
  }

  /** Changes what is kept of the same provider; links stay. */
  async change(tx: Tx, provider: IdentityProvider): Promise<void> {
    await tx.query(
      `update identity_provider set client_secret = $3, client_key = $4, client_jwk = $5, passkey_too = $6, required = $7 where msp_id = $1 and id = $2`,
      [
        ...[provider.mspId, provider.id, provider.clientSecret, provider.clientKey],
        ...[provider.clientJwk === null ? null : JSON.stringify(provider.clientJwk), provider.passkeyToo, provider.required],
      ],
    );
  }

  async remove(tx: Tx, mspId: Id, tenantId: Id): Promise<boolean> {
    const rows = await tx.query('delete from identity_provider where msp_id = $1 and tenant_id = $2 returning id', [mspId, tenantId]);
    return rows.length > 0;
  }

  /** The identity provider that stands on this very tenant; locked when asked. */
  async ofTenant(tx: Tx, mspId: Id, tenantId: Id, lock: '' | 'for update' = ''): Promise<IdentityProvider | null> {
    const [row] = await tx.query<Row>(`select ${selected} from identity_provider p where p.msp_id = $1 and p.tenant_id = $2 ${lock}`, [
      ...[mspId, tenantId],
    ]);
    return row === undefined ? null : asProvider(row);
  }

  async find(tx: SystemTx, mspId: Id, id: Id): Promise<IdentityProvider | null> {
    const [row] = await tx.query<Row>(`select ${selected} from identity_provider p where p.msp_id = $1 and p.id = $2`, [mspId, id]);
    return row === undefined ? null : asProvider(row);
  }

  /** The identity provider at which somebody who lives in this tenant signs in: the nearest. */
  async forTenant(tx: SystemTx, mspId: Id, tenantId: Id): Promise<IdentityProvider | null> {
    const [row] = await tx.query<Row>(
      `select ${selected} from tenant home join identity_provider p on p.msp_id = home.msp_id and p.tenant_id = any(home.path)
       where home.msp_id = $1 and home.id = $2 order by array_position(home.path, p.tenant_id) desc limit 1`,
      [mspId, tenantId],
    );
    return row === undefined ? null : asProvider(row);
  }

  /** The technicians of all MSPs who may sign in and have this address; the nearest provider of each is looked up by `forTenant`. */
  async peopleByEmail(tx: SystemTx, email: string): Promise<{ mspId: Id; tenantId: Id; technicianId: Id }[]> {
    return tx.query(
      `select msp_id as "mspId", tenant_id as "tenantId", id as "technicianId" from technician
       where email = $1 and active and joined_at is not null order by id limit 20`,
      [email],
    );
  }

  /** The technician whom the provider means by this subject. */
  async bound(tx: SystemTx, provider: IdentityProvider, subject: string): Promise<Id | null> {
    const [row] = await tx.query<{ technician_id: Id }>(
      'select technician_id from identity_link where msp_id = $1 and provider_id = $2 and subject = $3',
      [provider.mspId, provider.id, subject],
    );
    return row?.technician_id ?? null;
  }

  /** The technician of the provider's MSP with this address, and whether another subject is bound to them. */
  async byEmail(tx: SystemTx, provider: IdentityProvider, email: string): Promise<{ technicianId: Id; boundAlready: boolean } | null> {
    const [row] = await tx.query<{ technicianId: Id; boundAlready: boolean }>(
      `select t.id as "technicianId", exists (select 1 from identity_link l
         where l.msp_id = t.msp_id and l.provider_id = $2 and l.technician_id = t.id) as "boundAlready"
       from technician t where t.msp_id = $1 and t.email = $3`,
      [provider.mspId, provider.id, email],
    );
    return row ?? null;
  }

  /** Binds a subject; false when somebody else did so at the same time. */
  async bind(tx: SystemTx, provider: IdentityProvider, subject: string, who: { tenantId: Id; technicianId: Id }): Promise<boolean> {
    const rows = await tx.query(
      `insert into identity_link (msp_id, tenant_id, provider_id, subject, technician_id) values ($1, $2, $3, $4, $5)
       on conflict do nothing returning subject`,
      [provider.mspId, who.tenantId, provider.id, subject, who.technicianId],
    );
    return rows.length > 0;
  }

  /** True for a technician who holds a role on a tenant that is neither the provider's nor below it. */
  async holdsRoleOutside(tx: SystemTx, { mspId, tenantId }: IdentityProvider, technicianId: Id): Promise<boolean> {
    const [row] = await tx.query<{ outside: boolean }>(
      `select exists (select 1 from role_assignment r join tenant t on t.msp_id = r.msp_id and t.id = r.tenant_id
         where r.msp_id = $1 and r.technician_id = $2 and not t.path @> array[$3::uuid]) as outside`,
      [mspId, technicianId, tenantId],
    );
    return row?.outside === true;
  }

  async putSignIn(tx: SystemTx, hash: Buffer, provider: IdentityProvider, secrets: Buffer, expiresAt: Date): Promise<void> {
    await tx.query(
      'insert into identity_provider_sign_in (transaction_hash, msp_id, provider_id, secrets, expires_at) values ($1, $2, $3, $4, $5)',
      [hash, provider.mspId, provider.id, secrets, expiresAt],
    );
  }

  /** Uses a sign-in up; null when it is unknown, used or over. */
  async takeSignIn(tx: SystemTx, hash: Buffer, now: Date): Promise<{ mspId: Id; providerId: Id; secrets: Buffer } | null> {
    const [row] = await tx.query<{ mspId: Id; providerId: Id; secrets: Buffer }>(
      `delete from identity_provider_sign_in where transaction_hash = $1 and expires_at > $2
       returning msp_id as "mspId", provider_id as "providerId", secrets`,
      [hash, now],
    );
    return row ?? null;
  }

  /** Removes sign-ins that never came back; answers how many, at most 1,000. */
  async sweepSignIns(tx: SystemTx, now: Date): Promise<number> {
    const rows = await tx.query(
      `delete from identity_provider_sign_in where transaction_hash in
       (select transaction_hash from identity_provider_sign_in where expires_at <= $1 limit 1000 for update skip locked) returning 1`,
      [now],
    );
    return rows.length;
  }
}

function asProvider(row: Row): IdentityProvider {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, issuer: row.issuer, clientId: row.client_id },
    ...{ clientSecret: row.client_secret, clientKey: row.client_key, clientJwk: row.client_jwk },
    ...{ passkeyToo: row.passkey_too, required: row.required },
  };
}
