import { mkdtempSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessOf, type Actor, type Principal, type Role } from '@stint/contracts';
import { generateSigningKey, privateKeyToPem, publicKeyX } from '@stint/crypto';
import { loadConfig, type Running } from '@stint/host';
import { newId, type Id } from '@stint/kernel';
import { PasskeyEmulator } from '@stint/passkey-emulator';
import { createTestDatabase, FakeClock, MessageKeys, startTestQueue, TestGateway, type TestDatabase } from '@stint/testing';
import { startTenants, tenantsConfig } from './index.ts';

interface Answer {
  data?: Record<string, { __typename: string; message?: string } & Record<string, unknown>> | null;
  errors?: { message: string; extensions: { code: string } }[];
}

/** A really started service on a real database, spoken to as the gateway does. */
export interface TestTenants {
  clock: FakeClock;
  database: TestDatabase;
  queueUrl: string;
  url: string;
  firstLink: string;
  gateway: TestGateway;
  send(principal: Principal, query: string, variables?: object): Promise<Answer>;
  close(): Promise<void>;
}

export async function startTestTenants(more: Record<string, string> = {}): Promise<TestTenants> {
  const database = await createTestDatabase([{ schema: 'tenants', directory: join(import.meta.dirname, '..', 'migrations') }]);
  const queue = await startTestQueue(database);
  const folder = mkdtempSync(join(tmpdir(), 'stint-tenants-'));
  const gateway = new TestGateway();
  const keys = new MessageKeys();
  writeFileSync(join(folder, 'messages.pem'), privateKeyToPem(keys.signing.tenants), { mode: 0o600 });
  writeFileSync(join(folder, 'root.key'), randomBytes(32).toString('hex'), { mode: 0o600 });
  const vapidKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' });
  writeFileSync(join(folder, 'vapid.pem'), vapidKey, { mode: 0o600 });
  const { appUrl, systemUrl } = database.urls('tenants');
  const config = loadConfig(tenantsConfig, {
    PORT: '0',
    DATABASE_URL: appUrl,
    DATABASE_SYSTEM_URL: systemUrl,
    QUEUE_URL: queue.url,
    GATEWAY_PUBLIC_KEYS: gateway.publicKeyX,
    MESSAGE_SIGNING_KEY_FILE: join(folder, 'messages.pem'),
    MESSAGE_PUBLIC_KEYS: keys.environment,
    KEY_FILE: join(folder, 'root.key'),
    VAPID_KEY_FILE: join(folder, 'vapid.pem'),
    ...more,
    ALLOW_INSECURE_IDENTITY_PROVIDER: 'true',
    LOG_LEVEL: 'fatal',
  });
  const clock = new FakeClock(new Date());
  let firstLink = '';
  const running: Running = await startTenants(config, { clock, onFirstLink: (link) => (firstLink = link) });
  return {
    clock,
    database,
    queueUrl: queue.url,
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
      await queue.stop();
      await database.drop();
    },
  };
}

export const anonymous: Principal = { kind: 'anonymous' };

export function technician(mspId: Id, tenantId: Id = mspId, role: Role = 'ADMINISTRATOR', id: Id = newId()): Person['actor'] {
  return { kind: 'technician', id, mspId, tenantId, access: accessOf([{ tenantId, role }]) };
}

/** A fresh Ed25519 public key (the `x` of its JWK). */
export function somePublicKey(): string {
  return publicKeyX(generateSigningKey());
}

export const problem = '__typename ... on Problem { message }';

/** The one field of an answer; throws with the whole answer when there is none. */
export type Thing = { __typename: string; message?: string } & Record<string, unknown>;
export function only(answer: Answer): Thing {
  const [value] = Object.values(answer.data ?? {});
  if (value == null) throw new Error(JSON.stringify(answer));
  return value;
}

/** Where the service believes that people reach it. */
export const origin = 'http://localhost:4000';

/** Somebody who has joined with a passkey, and the device that holds it. */
export interface Person {
  id: Id;
  actor: Extract<Actor, { kind: 'technician' }>;
  phone: PasskeyEmulator;
  /** The same person, who signed in with the passkey just now. */
  fresh(): Actor;
}

/** Redeems a link with a new passkey, as the join page does. */
export async function joinBy(
  tenants: TestTenants,
  token: string | undefined,
  more: object = {},
): Promise<{ answer: Thing; phone: PasskeyEmulator }> {
  const phone = new PasskeyEmulator();
  const started = only(
    await tenants.send(
      anonymous,
      `mutation ($input: StartJoiningInput!) { startJoining(input: $input) { ${problem} ... on JoiningStarted { optionsJson } } }`,
      { input: { token } },
    ),
  );
  if (started.__typename !== 'JoiningStarted') return { answer: started, phone };
  const registration = JSON.stringify(phone.register(String(started['optionsJson']), origin));
  const answer = only(
    await tenants.send(
      anonymous,
      `mutation ($input: RedeemInvitationInput!) { redeemInvitation(input: $input) { ${problem} ... on InvalidInput { field }
        ... on SignUp { credentialId technician { id displayName joined tenant { id name } passkeys { credentialId } } } } }`,
      { input: { token, displayName: 'Anna', registration, ...more } },
    ),
  );
  return { answer, phone };
}

/** Makes an MSP with an administrator as its first administrator would: only once per service. */
export async function joinFirst(tenants: TestTenants): Promise<{ mspId: Id; administrator: Actor; first: Person }> {
  const first = { displayName: 'Ada', email: 'ada@example.com', mspName: 'Northwind' };
  const { answer, phone } = await joinBy(tenants, tenants.firstLink.split('#')[1], first);
  const { id, tenant } = answer['technician'] as { id: Id; tenant: { id: Id } };
  const person = personOf(tenants, technician(tenant.id, tenant.id, 'ADMINISTRATOR', id), phone);
  return { mspId: tenant.id, administrator: person.actor, first: person };
}

/** Invites somebody, who joins with a passkey. */
export async function joinAs(
  tenants: TestTenants,
  administrator: Actor,
  email: string,
  role: Role = 'TECHNICIAN',
  tenantId = administrator.tenantId,
): Promise<Person> {
  const id = newId();
  const invited = only(
    await tenants.send(
      administrator,
      `mutation ($input: InviteTechnicianInput!) { inviteTechnician(input: $input) { ${problem} ... on Invitation { link } } }`,
      { input: { id, tenantId, email, roles: [role] } },
    ),
  );
  const { answer, phone } = await joinBy(tenants, String(invited['link']).split('#')[1]);
  if (answer.__typename !== 'SignUp') throw new Error(answer.message);
  return personOf(tenants, technician(administrator.mspId, tenantId, role, id), phone);
}

function personOf(tenants: TestTenants, actor: Person['actor'], phone: PasskeyEmulator): Person {
  return { id: actor.id, actor, phone, fresh: () => ({ ...actor, signedInAt: tenants.clock.now().toISOString() }) };
}

/** What the audit log tells about a subject so far, oldest first; events arrive a moment after their effect. */
export async function auditActionsOf(tenants: TestTenants, subjectId: Id): Promise<string[]> {
  const rows = await tenants.database.query<{ action: string }>(
    `select action from tenants.audit_event where subject_id = '${subjectId}' order by sequence`,
  );
  return rows.map(({ action }) => action);
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
