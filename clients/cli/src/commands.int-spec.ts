// What each command sends and shows.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { privateKeyFromPem, publicKeyX } from '@stint/crypto';
import { anId, signedIn, tenantId } from './signed-in.support.ts';

const here = signedIn();

describe('settings', () => {
  const setting = (value: unknown, source: string, setOn: object | null = null, problem: string | null = null) => ({
    ...{ value, source, setOn, problem },
  });
  const jitSettings = {
    domainLoginMode: setting('DOMAIN', 'INHERITED', { id: anId(2), name: 'Contoso IT' }, 'No agent on a domain controller.'),
    domainAdminGroups: setting(['A', 'B'], 'OWN', { id: tenantId, name: 'Contoso' }),
    passwordLength: setting(24, 'DEFAULT'),
    totpLogin: setting(true, 'OWN', { id: tenantId, name: 'Contoso' }),
  };
  const lapsSettings = { localEnabled: setting(false, 'DEFAULT'), readerGroups: setting([], 'DEFAULT') };
  const tenant = { id: tenantId, name: 'Contoso', jitSettings, lapsSettings };

  test('are shown with where they come from', async () => {
    here.gateway.on('Settings', () => ({ tenant }));
    const { stdout, stderr } = await here.stint(['settings', 'show', tenantId]);
    expect(stdout).toBe(
      [
        'SETTING            VALUE   SOURCE           SET ON',
        'domainLoginMode    DOMAIN  inherited        Contoso IT',
        'domainAdminGroups  A,B     set here         Contoso',
        "passwordLength     24      Stint's default",
        'totpLogin          on      set here         Contoso',
        "lapsLocalEnabled   off     Stint's default",
        "lapsReaderGroups           Stint's default",
        '',
      ].join('\n'),
    );
    expect(stderr).toContain('domainLoginMode: No agent on a domain controller.');
  });

  test('of LAPS are changed by their own call', async () => {
    here.gateway.on('UpdateLapsSettings', () => ({ updateLapsSettings: { __typename: 'Tenant', ...tenant } }));
    expect(await here.stint(['settings', 'set', tenantId, 'lapsLocalEnabled=on', '--inherit', 'lapsReaderGroups'])).toMatchObject({
      exitCode: 0,
    });
    expect(here.sent('UpdateLapsSettings')).toEqual([{ tenantId, localEnabled: true, readerGroups: null }]);
  });

  test('have a history', async () => {
    const row = { id: anId(5), at: '2026-11-23T13:18:21.000Z', actorKind: 'technician', actorId: anId(6) };
    const nodes = [
      { ...row, technician: { id: anId(6), displayName: 'Ada' }, setting: 'passwordLength', old: null, new: '16' },
      { ...row, actorKind: 'client', technician: null, setting: 'domainAdminGroups', old: '["A","B"]', new: null },
    ];
    const settingsHistory = { edges: nodes.map((node) => ({ node })), pageInfo: { hasNextPage: false, endCursor: null } };
    here.gateway.on('SettingsHistory', () => ({ tenant: { settingsHistory } }));
    const { stdout } = await here.stint(['settings', 'history', tenantId]);
    expect(stdout.split('\n').slice(1, 3)).toEqual([
      '2026-11-23 13:18:21Z  passwordLength     inherited  16         Ada',
      `2026-11-23 13:18:21Z  domainAdminGroups  A,B        inherited  client ${anId(6)}`,
    ]);
  });

  test('are changed and inherited in one call', async () => {
    here.gateway.on('UpdateSettings', () => ({ updateJitSettings: { __typename: 'Tenant', ...tenant } }));
    expect(
      await here.stint([
        'settings',
        'set',
        tenantId,
        'totpLogin=on',
        'passwordLength=24',
        '--inherit',
        'accountNamePrefix',
        '--inherit',
        'sessionSeconds',
      ]),
    ).toMatchObject({ exitCode: 0 });
    expect(here.sent('UpdateSettings')).toEqual([
      { tenantId, totpLogin: true, passwordLength: 24, accountNamePrefix: null, sessionSeconds: null },
    ]);
  });

  test('that cannot be read now are not shown as something else', async () => {
    here.gateway.on('Settings', () => ({ tenant: { ...tenant, jitSettings: null } }));
    expect(await here.stint(['settings', 'show', tenantId])).toMatchObject({ exitCode: 1, stdout: '' });
  });
});

describe('the audit log', () => {
  test.each([
    [true, 0, 'intact'],
    [false, 1, 'BROKEN'],
  ])('intact %p ends with %d', async (intact, exitCode, shown) => {
    here.gateway.on('VerifyAuditLog', () => ({
      tenant: { verifyAuditLog: { intact, events: 12, brokenAt: intact ? null : 7, firstSequence: 4, head: 'ab'.repeat(32) } },
    }));
    expect(await here.stint(['audit', 'verify', tenantId])).toMatchObject({ exitCode, stdout: expect.stringContaining(shown) });
    expect(JSON.parse((await here.stint(['audit', 'verify', tenantId, '--json'])).stdout)).toMatchObject({ intact, events: 12 });
  });
});

describe('what is shown once', () => {
  test('an invitation', async () => {
    const technician = {
      id: anId(40),
      displayName: '',
      email: 'bert@example.com',
      roles: [{ id: anId(90), role: 'TECHNICIAN', tenant: { id: tenantId, name: 'Northwind' } }],
      active: true,
      joined: false,
      totpEnrolled: false,
    };
    here.gateway.on('InviteTechnician', () => ({
      inviteTechnician: { __typename: 'Invitation', link: 'https://x/join#y', expiresAt: '2026-11-30T13:18:21Z', technician },
    }));
    const { exitCode, stdout } = await here.stint([
      'technician',
      'invite',
      'Bert@Example.com',
      '--role',
      'technician',
      '--role',
      'auditor',
    ]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining('https://x/join#y') });
    expect(here.sent('InviteTechnician')).toEqual([
      { id: expect.any(String), tenantId, email: 'bert@example.com', roles: ['TECHNICIAN', 'AUDITOR'] },
    ]);
    // Who has come from Entra is there already.
    await here.stint(['technician', 'invite', 'bert@example.com', '--id', anId(40)]);
    expect(here.sent('InviteTechnician').at(-1)).toEqual({ id: anId(40), tenantId, email: 'bert@example.com', roles: ['TECHNICIAN'] });
    const both = await here.stint(['technician', 'invite', 'bert@example.com', '--id', anId(40), '--role', 'auditor']);
    expect(both).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--role') });
  });

  test('an enrolment token', async () => {
    const enrollmentToken = { id: anId(41), kind: 'SERVER', usesLeft: 5, expiresAt: '2026-11-30T13:18:21Z', revoked: false };
    here.gateway.on('IssueEnrollmentToken', () => ({
      issueEnrollmentToken: { __typename: 'IssuedEnrollmentToken', token: 'the-token', enrollmentToken },
    }));
    const { stdout } = await here.stint(['enrollment-token', 'issue', tenantId, '--kind', 'server', '--uses', '5', '--hours', '2']);
    expect(stdout).toContain('the-token');
    expect(here.sent('IssueEnrollmentToken')).toEqual([
      { id: expect.any(String), tenantId, kind: 'SERVER', uses: 5, lifetimeSeconds: 7200 },
    ]);
  });

  test("never an API client's private key: it goes to a file of its own", async () => {
    const file = join(here.folder, 'psa.pem');
    const argv = ['api-client', 'create', tenantId, 'PSA', '--permission', 'grant.read', '--permission', 'audit.read', '--new-key', file];
    here.gateway.on('CreateApiClient', () => ({ createApiClient: { __typename: 'Conflict', message: 'There is one.' } }));
    expect(await here.stint(argv)).toMatchObject({ exitCode: 1 });
    here.gateway.on('CreateApiClient', ({ variables }) => {
      const { id, clientId, name, permissions } = variables['input'] as Record<string, unknown>;
      return { createApiClient: { __typename: 'ApiClient', id, clientId, name, permissions, active: true } };
    });
    const { exitCode, stdout } = await here.stint(argv);
    expect(exitCode).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const key = await readFile(file, 'utf8');
    expect(here.sent('CreateApiClient').at(-1)).toMatchObject({
      tenantId,
      name: 'PSA',
      permissions: ['grant.read', 'audit.read'],
      publicKey: publicKeyX(privateKeyFromPem(key)),
    });
    expect(stdout).not.toContain(key.split('\n')[1]);
    expect(await here.stint(argv)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('exists already') });
    expect(await readFile(file, 'utf8')).toBe(key);
  });
});

describe('changes', () => {
  test('of tenants', async () => {
    const made = {
      __typename: 'Tenant',
      id: anId(50),
      name: 'Fabrikam',
      createdAt: '2026-11-23T13:18:21.000Z',
      parent: { id: tenantId, name: 'Contoso IT' },
    };
    here.gateway.on('CreateTenant', () => ({ createTenant: made }));
    here.gateway.on('RenameTenant', () => ({ renameTenant: made }));
    expect(await here.stint(['tenant', 'create', ' Fabrikam '])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(anId(50)) });
    expect(await here.stint(['tenant', 'create', 'Fabrikam', '--parent', anId(9)])).toMatchObject({ exitCode: 0 });
    expect(here.sent('CreateTenant')).toEqual([
      { id: expect.any(String), parentId: tenantId, name: 'Fabrikam' },
      { id: expect.any(String), parentId: anId(9), name: 'Fabrikam' },
    ]);
    expect(await here.stint(['tenant', 'rename', anId(50).toUpperCase(), 'Fabrikam'])).toMatchObject({ exitCode: 0 });
    expect(here.sent('RenameTenant')).toEqual([{ id: anId(50), name: 'Fabrikam' }]);
  });

  test.each([
    ['disable', false],
    ['enable', true],
  ])('of technicians: %s', async (verb, active) => {
    const technician = {
      __typename: 'Technician',
      id: anId(51),
      displayName: 'Bert',
      email: 'bert@example.com',
      roles: [{ id: anId(90), role: 'TECHNICIAN', tenant: { id: tenantId, name: 'Northwind' } }],
      active,
      joined: true,
      totpEnrolled: false,
    };
    here.gateway.on('UpdateTechnician', () => ({ updateTechnician: technician }));
    expect(await here.stint(['technician', verb, anId(51)])).toMatchObject({ exitCode: 0 });
    expect(here.sent('UpdateTechnician')).toEqual([{ id: anId(51), active }]);
  });

  test('of groups keep who is in them', async () => {
    const group = { id: anId(52), name: 'First line', members: [{ id: anId(53), displayName: 'Anna', email: 'anna@example.com' }] };
    here.gateway.on('GroupMembers', () => ({ group }));
    here.gateway.on('SetGroupMembers', () => ({ setGroupMembers: { __typename: 'Group', ...group } }));
    expect(await here.stint(['group', 'members', anId(52)])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('anna@example.com'),
    });
    expect(await here.stint(['group', 'members', anId(52), '--add', anId(54), anId(55)])).toMatchObject({ exitCode: 0 });
    expect(here.sent('SetGroupMembers')).toEqual([{ groupId: anId(52), technicianIds: [anId(53), anId(54), anId(55)] }]);
  });

  test('of devices: tags are all set at once, and a revocation asks first', async () => {
    const device = {
      id: anId(56),
      hostName: 'ws-17',
      kind: 'WORKSTATION',
      platform: 'Debian 12',
      active: true,
      enrolledAt: '2026-11-23T13:18:21Z',
      lastSeenAt: null,
      tags: ['servers', 'dc'],
    };
    here.gateway.on('UpdateDevice', () => ({ updateDevice: { __typename: 'Device', ...device } }));
    expect(await here.stint(['device', 'tag', anId(56), 'servers', 'dc'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('servers, dc'),
    });
    expect(await here.stint(['device', 'tag', anId(56)])).toMatchObject({ exitCode: 0 });
    expect(here.sent('UpdateDevice')).toEqual([
      { id: anId(56), tags: ['servers', 'dc'] },
      { id: anId(56), tags: [] },
    ]);
    here.gateway.on('DeviceToRevoke', () => ({ device: { ...device, tenant: { id: tenantId, name: 'Contoso' } } }));
    here.gateway.on('RevokeDevice', () => ({ revokeDevice: { __typename: 'Device', ...device, active: false } }));
    expect(await here.stint(['device', 'revoke', anId(56)], { typed: ['n'] })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('ws-17'),
    });
    expect(here.sent('RevokeDevice')).toEqual([]);
    expect(await here.stint(['device', 'revoke', anId(56), '--yes'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('revoked'),
    });
  });

  test('that end a grant say when it is over', async () => {
    const grant = {
      __typename: 'Grant',
      id: anId(57),
      state: 'ENDING',
      accountName: 'jit-anna',
      reason: null,
      ticket: null,
      approvedAt: '2026-11-23T13:18:21Z',
      activeAt: null,
      expiresAt: null,
      endedAt: null,
      endReason: 'REVOKED',
      failure: null,
      technician: null,
      entraRole: null,
      entraScope: null,
      entraAccountKind: null,
      tenant: null,
      device: { id: anId(56), hostName: 'ws-17' },
    };
    here.gateway.on('EndGrant', () => ({ endGrant: grant }));
    expect(await here.stint(['grant', 'end', anId(57)])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('has reported the account disabled'),
    });
  });
});
