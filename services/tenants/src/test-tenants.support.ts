import { mkdtempSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessOf, type Actor, type Principal, type Role } from '@stint/contracts';
import { generateSigningKey, privateKeyToPem, publicKeyX } from '@stint/crypto';
import { loadConfig, type Running } from '@stint/host';
import { newId, type Id } from '@stint/kernel';
import { createTestDatabase, FakeClock, TestGateway, type TestDatabase } from '@stint/testing';
import { startTenants, tenantsConfig } from './index.ts';

interface Answer {
  data?: Record<string, { __typename: string; message?: string } & Record<string, unknown>> | null;
  errors?: { message: string; extensions: { code: string } }[];
}

/** A really started service on a real database, spoken to as the gateway does. */
export interface TestTenants {
  clock: FakeClock;
  database: TestDatabase;
  url: string;
  firstLink: string;
  gateway: TestGateway;
  send(principal: Principal, query: string, variables?: object): Promise<Answer>;
  close(): Promise<void>;
}

export async function startTestTenants(): Promise<TestTenants> {
  const database = await createTestDatabase([{ schema: 'tenants', directory: join(import.meta.dirname, '..', 'migrations') }]);
  const folder = mkdtempSync(join(tmpdir(), 'stint-tenants-'));
  const gateway = new TestGateway();
  const key = generateSigningKey();
  writeFileSync(join(folder, 'messages.pem'), privateKeyToPem(key), { mode: 0o600 });
  writeFileSync(join(folder, 'root.key'), randomBytes(32).toString('hex'), { mode: 0o600 });
  const { appUrl, systemUrl } = database.urls('tenants');
  const config = loadConfig(tenantsConfig, {
    PORT: '0',
    DATABASE_URL: appUrl,
    DATABASE_SYSTEM_URL: systemUrl,
    QUEUE_URL: database.queueUrl,
    GATEWAY_PUBLIC_KEY: gateway.publicKeyX,
    MESSAGE_SIGNING_KEY_FILE: join(folder, 'messages.pem'),
    MESSAGE_PUBLIC_KEYS: `tenants=${publicKeyX(key)},jit-policy=${publicKeyX(generateSigningKey())}`,
    KEY_FILE: join(folder, 'root.key'),
    LOG_LEVEL: 'fatal',
  });
  const clock = new FakeClock(new Date());
  let firstLink = '';
  const running: Running = await startTenants(config, { clock, onFirstLink: (link) => (firstLink = link) });
  return {
    clock,
    database,
    url: running.url,
    firstLink,
    gateway,
    async send(principal, query, variables = {}) {
      const headers = await gateway.headers(principal, 'tenants');
      const response = await fetch(running.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
      return (await response.json()) as Answer;
    },
    async close() {
      await running.close();
      await database.drop();
    },
  };
}

export const anonymous: Principal = { kind: 'anonymous' };

export function technician(mspId: Id, tenantId: Id = mspId, role: Role = 'ADMINISTRATOR', id: Id = newId()): Actor {
  return { kind: 'technician', id, mspId, tenantId, access: accessOf([{ tenantId, role }]) };
}

/** A fresh Ed25519 public key (the `x` of its JWK). */
export function somePublicKey(): string {
  return publicKeyX(generateSigningKey());
}

export const problem = '__typename ... on Problem { message }';

/** The one field of an answer; throws with the whole answer when there is none. */
export function only(answer: Answer): { __typename: string; message?: string } & Record<string, unknown> {
  const [value] = Object.values(answer.data ?? {});
  if (value == null) throw new Error(JSON.stringify(answer));
  return value;
}

/** Makes an MSP with an administrator as its first administrator would: only once per service. */
export async function joinFirst(tenants: TestTenants): Promise<{ mspId: Id; administrator: Actor }> {
  const input = {
    token: tenants.firstLink.split('#')[1],
    displayName: 'Ada',
    email: 'ada@example.com',
    mspName: 'Northwind',
    credentialId: newId(),
    publicKey: somePublicKey(),
  };
  const signUp = only(
    await tenants.send(
      anonymous,
      `mutation ($input: RedeemInvitationInput!) { redeemInvitation(input: $input) { ${problem} ... on SignUp { technician { id tenant { id name } } } } }`,
      { input },
    ),
  );
  const { id, tenant } = signUp['technician'] as { id: Id; tenant: { id: Id } };
  return { mspId: tenant.id, administrator: technician(tenant.id, tenant.id, 'ADMINISTRATOR', id) };
}

export async function createTenant(tenants: TestTenants, actor: Actor, name: string): Promise<Id> {
  const input = { id: newId(), parentId: actor.tenantId, name };
  const made = only(
    await tenants.send(actor, `mutation ($input: CreateTenantInput!) { createTenant(input: $input) { ${problem} ... on Tenant { id } } }`, {
      input,
    }),
  );
  if (made.__typename !== 'Tenant') throw new Error(made.message);
  return input.id;
}

/** Issues an enrolment token and enrols a device with it. */
export async function enrollDevice(tenants: TestTenants, actor: Actor, tenantId: Id): Promise<Actor> {
  const issue = { id: newId(), tenantId, kind: 'WORKSTATION', uses: 1, lifetimeSeconds: 3600 };
  const issued = only(
    await tenants.send(
      actor,
      `mutation ($input: IssueEnrollmentTokenInput!) { issueEnrollmentToken(input: $input) { ${problem} ... on IssuedEnrollmentToken { token } } }`,
      { input: issue },
    ),
  );
  const input = enrollment(String(issued['token']));
  only(await tenants.send(anonymous, enrollMutation, { input }));
  return { kind: 'device', id: input.deviceId, mspId: actor.mspId, tenantId };
}

export const enrollMutation = `mutation ($input: EnrollDeviceInput!) { enrollDevice(input: $input) { ${problem} ... on DeviceEnrollment { credentialId device { id tenant { name } } } } }`;

export function enrollment(token: string) {
  return {
    token,
    deviceId: newId(),
    credentialId: newId(),
    publicKey: somePublicKey(),
    hpkeKey: somePublicKey(),
    hostName: 'ws-07',
    platform: 'Debian 12',
    hardwareId: randomBytes(32).toString('hex'),
  };
}
