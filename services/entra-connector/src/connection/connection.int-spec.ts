import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { generateHpkeKeyPair } from '@stint/crypto';
import { addSeconds, newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { TestEntraConnector } from '../testing/test-entra-connector.ts';
import { World, type Connected } from '../testing/world.ts';

let service: TestEntraConnector;
let world: World;
beforeAll(async () => {
  service = await TestEntraConnector.start();
  world = new World(service);
});
afterAll(() => service.close());

interface Shown {
  state: string;
  usable: boolean;
  whyUnusable: string | null;
  problems: { code: string; blocking: boolean; about: string | null; message: string; nextStep: string }[];
  credentials: { id: string; kind: string; state: string; certificatePem: string | null; daysLeft: number }[];
  steps: { key: string; done: boolean }[];
  [field: string]: unknown;
}
const fields = `... on EntraConnection { state usable whyUnusable entraTenantName rolesCanEnd passesFor remaining consentedAt domains { name managed }
  problems { code blocking about message nextStep } permissions { name granted }
  credentials { id kind state certificatePem daysLeft } steps { key done } }`;

async function act(
  { administrator, tenant }: Connected,
  name: string,
  more: object = {},
): Promise<Shown & { __typename: string; message?: string }> {
  return (await world.mutate(administrator, name, fields, { tenantId: tenant.tenantId, ...more })) as never;
}
const verify = (connected: Connected) => act(connected, 'verifyEntraConnection');
const codes = (shown: Shown) => shown.problems.map(({ code, about }) => (about === null ? code : `${code} ${about}`));

/** This is what services/jit-policy is told last. */
async function isTold({ tenant }: Connected, problem: string | null): Promise<void> {
  await eventually(() => {
    const news = service.others.received('entra-connection-changed').filter(({ tenantId }) => tenantId === tenant.tenantId);
    const last = news.toSorted((a, b) => a.version - b.version).at(-1);
    expect(last).toMatchObject({ usable: problem === null, problem });
  });
}

test('a tenant with all that is needed is usable, and its facts are known', async () => {
  const connected = await world.connected();
  const shown = await verify(connected);
  expect(shown).toMatchObject({
    ...{ __typename: 'EntraConnection', state: 'READY', usable: true, whyUnusable: null, problems: [], remaining: 0 },
    ...{ entraTenantName: 'Contoso', rolesCanEnd: true, passesFor: 'EVERYBODY' },
    domains: [{ name: connected.entra.initialDomain, managed: true }],
    credentials: [{ kind: 'SECRET', state: 'IN_USE', daysLeft: expect.any(Number), certificatePem: null }],
  });
  expect(shown.steps.filter(({ done }) => !done)).toEqual([]);
  await isTold(connected, null);
});

test('a certificate made here works without anything of it being known but its public part', async () => {
  const connected = await world.connected();
  const { credentials } = await act(connected, 'addEntraCertificate');
  const pem = credentials.find(({ kind }) => kind === 'CERTIFICATE')?.certificatePem ?? '';
  expect(pem).toContain('BEGIN CERTIFICATE');

  // Not uploaded yet: the secret goes on, and what to do is said.
  const waiting = await verify(connected);
  expect(waiting).toMatchObject({ usable: true, credentials: [{ state: 'IN_USE' }, { state: 'NEW' }] });
  expect(waiting.problems).toMatchObject([{ code: 'CERTIFICATE_UNKNOWN', blocking: false, about: 'the certificate' }]);

  connected.entra.addCredential(connected.app.clientId, { certificate: { pem } });
  expect(await verify(connected)).toMatchObject({
    usable: true,
    problems: [],
    credentials: [{ state: 'FORMER' }, { kind: 'CERTIFICATE', state: 'IN_USE' }],
  });
  const [former] = credentials;
  service.clock.advance(86_401);
  await service.audited('entra-connection.credential-removed', former?.id ?? '');
  expect(await service.rows('select kind from entra_credential where tenant_id = $1', [connected.tenant.tenantId])).toEqual([
    { kind: 'CERTIFICATE' },
  ]);
});

test.each<[string, string, (connected: Connected) => Promise<void> | void]>([
  ['wrong secret', 'SECRET_WRONG', ({ entra, app }) => void entra.registerApp({ ...app, secrets: [{ value: 'another-secret-of-it' }] })],
  [
    'expired secret',
    'SECRET_EXPIRED',
    ({ entra, app, secret }) => void entra.registerApp({ ...app, secrets: [{ value: secret, endsAt: service.clock.now() }] }),
  ],
  ['application unknown in the tenant', 'APP_UNKNOWN', ({ entra, app }) => entra.changeApp(app.clientId, { granted: null })],
  ['application disabled', 'APP_DISABLED', ({ entra, app }) => entra.changeApp(app.clientId, { enabled: false })],
  ['blocked sign-in', 'SIGN_IN_BLOCKED', ({ entra, app }) => entra.changeApp(app.clientId, { blockedByConditionalAccess: true })],
  [
    'missing consent',
    'CONSENT_MISSING',
    ({ entra }) =>
      void service.graph.fail({
        ...{ method: 'POST', path: `/login/${entra.id}/oauth2/v2.0/token`, times: 1 },
        answer: { status: 400, body: { error: 'invalid_grant', error_description: 'AADSTS65001: consent', error_codes: [65001] } },
      }),
  ],
])('%s is told as such, with the next step, and nothing begins', async (_name, code, breakIt) => {
  const connected = await world.connected();
  await breakIt(connected);
  const shown = await verify(connected);
  expect(shown).toMatchObject({ state: 'BROKEN', usable: false, problems: [{ code, blocking: true }] });
  expect(shown.problems[0]?.nextStep.length).toBeGreaterThan(20);
  await isTold(connected, shown.whyUnusable);
  await service.audited('entra-connection.broken', connected.tenant.tenantId);
});

test('a wrong tenant id is told as such, and can be corrected', async () => {
  const msp = await world.tenant(null);
  const administrator = await world.technician(msp, 'ADMINISTRATOR');
  await service.settled();
  const entra = service.graph.tenant();
  const connected: Connected = {
    tenant: msp,
    entra,
    app: entra.registerApp({ secrets: [{ value: 'a-good-secret-of-it' }] }),
    secret: '',
    administrator,
  };
  const { clientId } = connected.app;
  await act(connected, 'connectEntra', { entraTenantId: '11111111-2222-3333-4444-555555555555', clientId });
  expect(await verify(connected)).toMatchObject({ state: 'SETUP', problems: [{ code: 'NO_CREDENTIAL' }] });
  await act(connected, 'addEntraSecret', { secret: 'a-good-secret-of-it', endsOn: world.day(90) });
  expect(await verify(connected)).toMatchObject({ state: 'SETUP', problems: [{ code: 'TENANT_UNKNOWN', blocking: true }] });
  await act(connected, 'connectEntra', { entraTenantId: entra.id, clientId });
  expect(codes(await verify(connected))).toContain('PERMISSION_MISSING User.ReadWrite.All');
});

test.each([
  ['common', 'entraTenantId'],
  ['contoso.onmicrosoft.com', 'entraTenantId'],
])('%s is no tenant id', async (entraTenantId, field) => {
  const { tenant, administrator, app } = await world.connected();
  const input = { tenantId: tenant.tenantId, entraTenantId, clientId: app.clientId };
  expect(await world.mutate(administrator, 'connectEntra', '... on InvalidInput { field }', input)).toMatchObject({
    __typename: 'InvalidInput',
    field,
  });
});

test('each missing permission is named with what fails without it; a needless one is noted', async () => {
  const connected = await world.connected();
  connected.entra.changeApp(connected.app.clientId, {
    granted: [
      'User.ReadWrite.All',
      'RoleManagement.ReadWrite.Directory',
      'Policy.Read.AuthenticationMethod',
      'Domain.Read.All',
      'AdministrativeUnit.Read.All',
    ],
  });
  const shown = await verify(connected);
  expect(codes(shown)).toEqual([
    'PERMISSION_MISSING User-PasswordProfile.ReadWrite.All',
    'PERMISSION_MISSING UserAuthenticationMethod.ReadWrite.All',
    'PERMISSION_MISSING Organization.Read.All',
    'PERMISSION_MISSING GroupMember.Read.All',
    'PERMISSION_NEEDLESS AdministrativeUnit.Read.All',
  ]);
  expect(shown.problems.map(({ blocking }) => blocking)).toEqual([true, true, false, false, false]);
  expect(shown).toMatchObject({ state: 'BROKEN', usable: false });
});

test('directory roles, federated domains, passes and licences are looked at', async () => {
  const domains = [{ name: 'contoso.com', isDefault: true, isInitial: false, authenticationType: 'Federated' as const }];
  const connected = await world.connected({
    entra: { domains, licences: 'FREE', tapPolicy: { state: 'disabled' } },
    app: { directoryRoles: [] },
  });
  expect(codes(await verify(connected))).toEqual([
    'DIRECTORY_ROLE_MISSING User Administrator',
    'NO_MANAGED_DOMAIN',
    'DIRECTORY_ROLE_MISSING Privileged Authentication Administrator',
    'PASS_POLICY_OFF',
    'LICENCE_MISSING',
  ]);
});

test('Microsoft away says nothing about the connection; what is broken is found, and works again, without anybody asking', async () => {
  const connected = await world.connected();
  const away = service.graph.fail({ path: new RegExp(`^/login/${connected.entra.id}/`), times: 100, answer: { status: 503 } });
  expect(await verify(connected)).toMatchObject({ state: 'READY', usable: true, problems: [{ code: 'UNREACHABLE', blocking: false }] });
  away.cancel();

  connected.entra.changeApp(connected.app.clientId, { enabled: false });
  service.clock.advance(7 * 3600);
  await service.audited('entra-connection.broken', connected.tenant.tenantId);
  await isTold(connected, 'The connection to Entra ID does not work. The application is disabled. (AADSTS7000112)');
  connected.entra.changeApp(connected.app.clientId, { enabled: true });
  service.clock.advance(1_000);
  await service.audited('entra-connection.recovered', connected.tenant.tenantId);
  await isTold(connected, null);
});

test('a secret is warned of 30, 14 and 3 days before its end, once each', async () => {
  const connected = await world.connected();
  const { tenantId } = connected.tenant;
  await act(connected, 'addEntraSecret', { secret: connected.secret, endsOn: world.day(40) });
  const [credential] = (await verify(connected)).credentials.filter(({ state }) => state === 'IN_USE');
  const warned = () =>
    service.audits.filter(({ action, subjectId }) => action === 'entra-connection.credential-expiring' && subjectId === credential?.id);
  for (const [days, count] of [
    [11, 1],
    [16, 2],
    [11, 3],
  ] as const) {
    service.clock.advance(days * 86_400);
    await eventually(() => expect(warned()).toHaveLength(count));
  }
  expect(warned().map(({ details }) => details['daysLeft'])).toEqual([29, 13, 2]);
  const { data } = await service.send(
    connected.administrator,
    `{ _entities(representations: [{ __typename: "Tenant", id: "${tenantId}" }]) { ... on Tenant { entraConnection { problems { code } } } } }`,
  );
  expect(JSON.stringify(data)).toContain('CREDENTIAL_EXPIRING');
});

test('a connection ends only when nothing of Stint is left, and then the credentials are forgotten', async () => {
  const connected = await world.connected();
  const { tenant, administrator, entra } = connected;
  const { publicKey: recipientKey } = await generateHpkeKeyPair();
  await service.tell('entra-grant-changed', {
    ...{ mspId: tenant.mspId, tenantId: tenant.tenantId, grantId: newId(), technicianId: administrator.id, wanted: true, version: 1 },
    ...{
      roleName: 'Helpdesk Administrator',
      scope: '/',
      accountKind: 'JIT',
      accountPrefix: 'jit-',
      accountRestDays: 30,
      recipientKey,
      sessionSeconds: 3600,
    },
    ...{ activateBy: addSeconds(service.clock.now(), 3600).toISOString(), expiresAt: null },
  });
  await eventually(() => expect(entra.users().some(({ accountEnabled }) => accountEnabled)).toBe(true));

  const leaving = await act(connected, 'disconnectEntra');
  expect(leaving).toMatchObject({ state: 'DISCONNECTING', usable: false });
  expect(leaving['remaining']).toBeGreaterThan(0);
  await isTold(connected, leaving.whyUnusable);
  expect(await act(connected, 'addEntraCertificate')).toMatchObject({ __typename: 'Conflict' });
  expect(await service.rows('select 1 from entra_credential where tenant_id = $1', [tenant.tenantId])).toHaveLength(1);

  await eventually(() => {
    service.clock.advance(30);
    expect(service.audits.some(({ action, tenantId }) => action === 'entra-connection.disconnected' && tenantId === tenant.tenantId)).toBe(
      true,
    );
  });
  expect([entra.users(), entra.roleAssignments(administrator.id)]).toEqual([[], []]);
  expect(await service.rows('select 1 from entra_credential where tenant_id = $1', [tenant.tenantId])).toEqual([]);
  const registration = { entraTenantId: connected.entra.id, clientId: connected.app.clientId };
  expect(await act(connected, 'connectEntra', registration)).toMatchObject({ state: 'SETUP', credentials: [] });
});

test('an Entra tenant is connected to one tenant of an MSP', async () => {
  const { administrator, tenant, entra, app } = await world.connected();
  const other = await world.tenant({ ...tenant, tenantId: tenant.mspId, path: [tenant.mspId], parentId: null });
  await service.settled();
  const input = { tenantId: other.tenantId, entraTenantId: entra.id, clientId: app.clientId };
  expect(await world.mutate(administrator, 'connectEntra', '', input)).toMatchObject({ __typename: 'Conflict' });
});

test("another MSP's connection is not there", async () => {
  const { tenant } = await world.connected();
  const { administrator: stranger } = await world.connected();
  service.clock.advance(3600);
  for (const name of ['addEntraCertificate', 'beginEntraConsent', 'verifyEntraConnection', 'disconnectEntra']) {
    expect(await world.mutate(stranger, name, '', { tenantId: tenant.tenantId })).toMatchObject({ __typename: 'NotFound' });
  }
});
