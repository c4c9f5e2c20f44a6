// The connection to Entra, from the command line: what is sent, what is shown, and what is not.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { anId, signedIn, tenantId } from '../signed-in.support.ts';

const here = signedIn();
const entraTenantId = '11111111-2222-4333-8444-555555555555';
const clientId = '66666666-7777-4888-8999-000000000000';
const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

const credential = {
  ...{ id: anId(7), kind: 'CERTIFICATE', state: 'NEW', endsAt: '2028-11-23T13:18:21Z', daysLeft: 730 },
  ...{ certificatePem: pem, thumbprint: 'AB'.repeat(20) },
};
const problem = {
  ...{ code: 'PERMISSION_MISSING', blocking: true, about: 'Domain.Read.All' },
  ...{ message: 'Domain.Read.All is missing.', nextStep: 'Add it, and consent again.' },
};

function connection(change: object = {}) {
  return {
    ...{ __typename: 'EntraConnection', id: tenantId, state: 'READY', usable: true, whyUnusable: null, cloud: 'GLOBAL' },
    ...{ entraTenantId, clientId, entraTenantName: 'Contoso', domains: [{ name: 'contoso.example', managed: false }] },
    ...{ rolesCanEnd: true, passesFor: 'EVERYBODY', consentedAt: null, verifiedAt: '2026-11-23T13:18:21Z', remaining: 0 },
    ...{ problems: [], permissions: [], credentials: [], steps: [{ key: 'VERIFY', title: 'Verify', instructions: 'Do it.', done: false }] },
    ...change,
  };
}

test('setup tells what to prepare', async () => {
  const needed = { name: 'User.ReadWrite.All', why: 'Makes accounts.', required: true };
  const setup = { redirectUri: 'https://stint.example/entra/consent', permissions: [needed], directoryRoles: [] };
  here.gateway.on('EntraSetup', () => ({ entraSetup: { ...setup, steps: [{ title: 'Register', instructions: 'There.' }] } }));
  const { exitCode, stdout } = await here.stint(['entra', 'setup']);
  expect(exitCode).toBe(0);
  for (const shown of ['https://stint.example/entra/consent', '1. Register', 'User.ReadWrite.All  yes     Makes accounts.'])
    expect(stdout).toContain(shown);
});

test('connect sends the ids, and refuses what is none before anything is sent', async () => {
  here.gateway.on('ConnectEntra', () => ({ connectEntra: connection({ state: 'SETUP', usable: false }) }));
  const run = await here.stint(['entra', 'connect', tenantId, entraTenantId.toUpperCase(), clientId, '--cloud', 'us-gov']);
  expect(run).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('Next: Verify. Do it.') });
  expect(here.sent('ConnectEntra')).toEqual([{ tenantId, entraTenantId, clientId, cloud: 'US_GOV' }]);
  expect(await here.stint(['entra', 'connect', tenantId, 'common', clientId])).toMatchObject({ exitCode: 2 });
  expect(here.sent('ConnectEntra')).toHaveLength(1);
});

test('a certificate goes to a new file, and an old one is not overwritten', async () => {
  here.gateway.on('AddEntraCertificate', () => ({ addEntraCertificate: connection({ credentials: [credential] }) }));
  const out = join(here.folder, 'stint.pem');
  const run = await here.stint(['entra', 'certificate', tenantId, '--out', out]);
  expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`Upload ${out} in Entra`) });
  expect(await readFile(out, 'utf8')).toBe(pem);
  expect((await stat(out)).mode & 0o077).toBe(0);
  await writeFile(out, 'mine');
  expect(await here.stint(['entra', 'certificate', tenantId, '--out', out])).toMatchObject({ exitCode: 1 });
  expect(await readFile(out, 'utf8')).toBe('mine');
  expect(here.sent('AddEntraCertificate')).toHaveLength(1);
});

test.each([['from a pipe', { stdin: 's3cret-of-entra\n' }] as const, ['typed unseen', { typed: ['s3cret-of-entra'] }] as const])(
  'a secret comes %s, and is not repeated',
  async (_, given) => {
    here.gateway.on('AddEntraSecret', () => ({ addEntraSecret: connection({ credentials: [{ ...credential, kind: 'SECRET' }] }) }));
    const surroundings = 'typed' in given ? { typed: [...given.typed] } : given;
    const { exitCode, stdout, stderr } = await here.stint(['entra', 'secret', tenantId, '--ends', '2027-05-31'], surroundings);
    expect(exitCode).toBe(0);
    expect(here.sent('AddEntraSecret')).toEqual([{ tenantId, secret: 's3cret-of-entra', endsOn: '2027-05-31' }]);
    expect(stdout + stderr).not.toContain('s3cret');
  },
);

test('a secret is no argument', async () => {
  expect(await here.stint(['entra', 'secret', tenantId, 's3cret', '--ends', '2027-05-31'])).toMatchObject({ exitCode: 2 });
  expect(here.gateway.calls).toEqual([]);
});

test.each([
  ['as Microsoft sends the browser back', '?'],
  ['as the page of the console leaves it', '#'],
])('a consent is finished with the address %s', async (_, mark) => {
  const url = 'https://login.microsoftonline.com/x/v2.0/adminconsent';
  here.gateway
    .on('BeginEntraConsent', () => ({ beginEntraConsent: { __typename: 'EntraConsent', url, expiresAt: '2026-11-23T13:18:21Z' } }))
    .on('FinishEntraConsent', () => ({ finishEntraConsent: connection() }));
  const back = `https://stint.example/entra/consent${mark}admin_consent=True&tenant=${entraTenantId}&state=the-state`;
  const opened: string[] = [];
  const browser = (address: string) => Promise.resolve(void opened.push(address));
  const run = await here.stint(['entra', 'consent', tenantId], { stdin: `${back}\n`, browser });
  expect(run).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(url), stdout: expect.stringContaining('Connected') });
  expect(opened).toEqual([url]);
  expect(here.sent('FinishEntraConsent')).toEqual([{ state: 'the-state', entraTenantId, given: true, error: null }]);
});

test('an address that is something else finishes nothing', async () => {
  here.gateway.on('BeginEntraConsent', () => ({
    beginEntraConsent: { __typename: 'EntraConsent', url: 'https://x', expiresAt: '2026-11-23T13:18:21Z' },
  }));
  expect(await here.stint(['entra', 'consent', tenantId], { stdin: 'https://stint.example/app\n' })).toMatchObject({ exitCode: 2 });
  expect(here.sent('FinishEntraConsent')).toEqual([]);
});

test('verify names what is missing and what to do, and ends with 1 where no access can be given', async () => {
  const broken = {
    state: 'BROKEN',
    usable: false,
    problems: [problem],
    permissions: [{ name: 'Domain.Read.All', required: true, granted: false }],
  };
  here.gateway.on('VerifyEntraConnection', () => ({ verifyEntraConnection: connection(broken) }));
  const { exitCode, stdout } = await here.stint(['entra', 'verify', tenantId]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain('Blocks: Domain.Read.All is missing.\n  Add it, and consent again.');
  expect(stdout).toMatch(/not granted\s+Domain\.Read\.All/);
});

test('show says where the connection stands', async () => {
  here.gateway.on('EntraConnectionOf', () => ({
    tenant: { id: tenantId, name: 'Contoso', entraConnection: connection({ credentials: [credential] }) },
  }));
  const { stdout } = await here.stint(['entra', 'show', tenantId]);
  expect(stdout).toMatch(/state\s+ready/);
  expect(stdout).toContain('contoso.example (federated)');
  expect(stdout).toContain(credential.thumbprint);
  here.gateway.on('EntraConnectionOf', () => ({ tenant: { id: tenantId, name: 'Contoso', entraConnection: null } }));
  expect(await here.stint(['entra', 'show', tenantId])).toMatchObject({ exitCode: 1, stdout: '' });
});

test('disconnect says what is there, and asks first', async () => {
  const there = connection({ remaining: 2 });
  here.gateway
    .on('EntraConnectionBeforeItsEnd', () => ({
      tenant: {
        ...{
          id: tenantId,
          name: 'Contoso',
          entraConnection: there,
          entraBreakGlassAccounts: [{ userPrincipalName: 'emergency-1@x.example' }],
        },
        userSource: { state: 'ON', people: 12 },
      },
    }))
    .on('DisconnectEntra', () => ({ disconnectEntra: { ...there, state: 'DISCONNECTING', usable: false } }));
  const refused = await here.stint(['entra', 'disconnect', tenantId], { typed: ['n'] });
  expect(refused).toMatchObject({ exitCode: 1 });
  for (const said of [
    '2 grants and accounts',
    'the passwords of the break-glass accounts emergency-1@x.example',
    '12 technicians from the user source',
  ])
    expect(refused.stderr).toContain(said);
  expect(here.sent('DisconnectEntra')).toEqual([]);
  expect(await here.stint(['entra', 'disconnect', tenantId, '--give-up', '--yes'])).toMatchObject({ exitCode: 0 });
  expect(here.sent('DisconnectEntra')).toEqual([{ tenantId, giveUp: true }]);
});

test('a credential that is not in use is removed', async () => {
  here.gateway.on('RemoveEntraCredential', () => ({ removeEntraCredential: connection() }));
  expect(await here.stint(['entra', 'remove-credential', tenantId, anId(7)])).toMatchObject({ exitCode: 0 });
  expect(here.sent('RemoveEntraCredential')).toEqual([{ tenantId, credentialId: anId(7) }]);
});

test.each([
  ['allowed', true, null, 0, '/app/entra'],
  ['denied', false, null, 1, 'denied'],
  ['not possible now', true, 'The certificate has expired.', 1, 'The certificate has expired.'],
] as const)('a request that is %s tells so, and where to ask', async (_, allowed, whyUnusable, exitCode, shown) => {
  const tenant = { id: tenantId, name: 'Contoso', entraConnection: { usable: whyUnusable === null, whyUnusable } };
  const demands = { requireReason: true, requireTicket: false, approvals: 0, approverGroup: null };
  const explainAccess = { allowed, why: 'So says the rule.', ruleName: 'Entra', maxSeconds: 3600, defaultSeconds: 3600, ...demands };
  here.gateway.on('ExplainEntraAccess', () => ({ tenant, explainAccess }));
  const run = await here.stint(['entra', 'request', tenantId, 'User Administrator']);
  expect(run.exitCode).toBe(exitCode);
  expect(run.stdout).toContain(shown);
  expect(run.stdout.includes('/app/entra')).toBe(exitCode === 0);
});

test('accounts are listed with whose they are and how they were seen', async () => {
  const account = {
    ...{ id: anId(60), userPrincipalName: 'jit-anna@contoso.example', objectId: entraTenantId, state: 'ENABLED', restsSince: null },
    ...{ seenAt: '2026-11-23T13:18:21Z', problem: null, technician: { id: anId(6), displayName: 'Anna', email: 'anna@example.com' } },
  };
  const stray = { ...account, state: 'DISABLED', technician: null, problem: 'Nobody knew it.', restsSince: '2026-11-23T14:00:00Z' };
  const edges = [account, stray].map((node) => ({ node }));
  here.gateway.on('EntraAccounts', () => ({ tenant: { entraAccounts: { edges, pageInfo: { hasNextPage: false, endCursor: null } } } }));
  const { stdout } = await here.stint(['entra', 'accounts', tenantId]);
  expect(stdout.split('\n').map((line) => line.split(/ {2,}/).slice(3))).toEqual([
    ['TECHNICIAN', 'STATE', 'SEEN', 'RESTS SINCE', 'PROBLEM'],
    ['anna@example.com', 'enabled', '2026-11-23 13:18:21Z'],
    ['nobody', 'disabled', '2026-11-23 13:18:21Z', '2026-11-23 14:00:00Z', 'Nobody knew it.'],
    [],
  ]);
  here.gateway.on('EntraAccounts', () => ({ tenant: { entraAccounts: null } }));
  expect(await here.stint(['entra', 'accounts', tenantId])).toMatchObject({ exitCode: 1, stdout: '' });
});
