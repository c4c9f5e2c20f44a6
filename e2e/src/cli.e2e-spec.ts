// The command line against a whole installation in one process: every command for real, as two people would use it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { generateHpkeKeyPair, generateSigningKey, publicKeyX } from '@stint/crypto';
import { codeOf, Person, Phone, startStack } from '@stint/embedded';
import { newId } from '@stint/kernel';
import { StintClient } from '@stint/sdk';
import { eventually } from '@stint/testing';
import { CommandLine } from './command-line.ts';
import { createInstallation, type Installation } from './installation.ts';

let installation: Installation;
let stack: Awaited<ReturnType<typeof startStack>> | undefined;
let folder: string;
let firstLink = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stint-cli-'));
  installation = await createInstallation();
  stack = await startStack(installation.environments, { onFirstLink: (link) => (firstLink = link) });
});
afterAll(async () => {
  await stack?.close();
  await installation.remove();
  await rm(folder, { recursive: true, force: true });
});

const stint = (argv: string[], stdin?: string, browser?: Person) => new CommandLine(installation.url, folder).run(argv, stdin, browser);
/** The JSON of a command that must work. */
const done = <Shape>(argv: string[], stdin?: string) => new CommandLine(installation.url, folder).json<Shape>(argv, stdin);

interface Thing {
  id: string;
}
interface List<Item> {
  items: Item[];
  more: boolean;
}

/** A computer's agent, as far as a login needs one. */
class Computer {
  readonly id = newId();
  readonly #credential = { id: newId(), privateKey: generateSigningKey() };

  async enroll(token: string): Promise<void> {
    const input = {
      token,
      deviceId: this.id,
      credentialId: this.#credential.id,
      publicKey: publicKeyX(this.#credential.privateKey),
      hpkeKey: (await generateHpkeKeyPair()).publicKey,
      hostName: 'ws-17',
      platform: 'Debian 12',
      hardwareId: 'ab'.repeat(32),
    };
    const client = new StintClient({ url: installation.url });
    const enroll = parse('mutation Enroll($input: EnrollDeviceInput!) { enrollDevice(input: $input) { __typename } }');
    expect(await client.request<unknown, object>(enroll as never, { input })).toEqual({ enrollDevice: { __typename: 'DeviceEnrollment' } });
  }

  /** What its QR code carries. */
  async startLogin(): Promise<string> {
    const client = new StintClient({ url: installation.url, credential: this.#credential });
    const start = parse(
      'mutation Start($input: StartLoginInput!) { startLogin(input: $input) { __typename ... on StartedLogin { qrPayload } ... on Problem { message } } }',
    );
    const answer = await client.request<{ startLogin: { qrPayload?: string } }, object>(start as never, {
      input: { id: newId(), method: 'QR' },
    });
    const { qrPayload } = answer.startLogin;
    if (qrPayload == null) throw new Error(JSON.stringify(answer));
    return qrPayload;
  }
}

describe('from the first link to the end of a login', () => {
  const computer = new Computer();
  let mspId: string;
  let tenantId: string;
  let bertId: string;
  let bert: Person;
  let firstLineId: string;

  test('the first administrator, who joined in the browser, signs in', async () => {
    expect(await stint(['sign-in', firstLink])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('open it there first') });
    const who = { displayName: 'Ada Admin', email: 'ada@northwind.example', mspName: 'Northwind MSP' };
    const ada = await Person.join(installation.url, firstLink, who);
    const { exitCode, stdout, stderr } = await stint(['--json', 'sign-in', installation.url], undefined, ada);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining(`${installation.url}/oauth/auth?`) });
    mspId = (JSON.parse(stdout) as { tenant: Thing }).tenant.id;
    expect(await done(['who-am-i'])).toMatchObject({
      tenant: { id: mspId, name: 'Northwind MSP' },
      technician: { email: 'ada@northwind.example', roles: [{ role: 'ADMINISTRATOR' }] },
    });
    expect(await stint(['--profile', 'eve', 'who-am-i'])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no profile') });
  });

  test('makes a customer and sets it up', async () => {
    tenantId = (await done<Thing>(['tenant', 'create', 'Contoso'])).id;
    const set = await done<{ jitSettings: object }>([
      'settings',
      'set',
      tenantId,
      'totpLogin=on',
      'passwordLength=32',
      'accountNamePrefix=adm-',
      'sessionSeconds=1800',
    ]);
    expect(set.jitSettings).toMatchObject({
      totpLogin: { value: true, source: 'OWN', setOn: { id: tenantId } },
      sessionSeconds: { value: 1800 },
    });
    const back = await done<{ jitSettings: object }>(['settings', 'set', tenantId, '--inherit', 'passwordLength']);
    expect(back.jitSettings).toMatchObject({
      passwordLength: { value: 24, source: 'DEFAULT', setOn: null },
      accountNamePrefix: { value: 'adm-' },
    });
    expect(await stint(['settings', 'set', tenantId, 'passwordLength=11'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('passwordLength'),
    });
    expect(await stint(['settings', 'show', tenantId])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/sessionSeconds +1800 +set here +Contoso/),
    });
    expect(await done(['tenant', 'rename', tenantId, 'Contoso Dental'])).toMatchObject({ name: 'Contoso Dental' });
    const tenants = await done<List<{ name: string }>>(['tenant', 'list']);
    expect(tenants.items.map(({ name }) => name)).toEqual(['Northwind MSP', 'Contoso Dental']);
    expect(await done<List<Thing>>(['tenant', 'list', '--limit', '1'])).toMatchObject({ more: true, items: [{ id: mspId }] });
  });

  test('invites a technician, who signs in on a machine of their own', async () => {
    const { link, technician } = await done<{ link: string; technician: Thing }>(['technician', 'invite', 'Bert@Northwind.example']);
    bertId = technician.id;
    bert = await Person.join(installation.url, link, { displayName: 'Bert Berg', email: 'bert@northwind.example' });
    const signingIn = ['--profile', 'bert', 'sign-in', installation.url, '--email', 'bert@northwind.example'];
    expect(await stint(signingIn, undefined, bert)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Bert Berg') });
    expect(await done(['--profile', 'bert', 'who-am-i'])).toMatchObject({
      id: bertId,
      technician: { displayName: 'Bert Berg', email: 'bert@northwind.example', roles: [{ role: 'TECHNICIAN' }] },
    });
    expect(await stint(['--profile', 'bert', 'tenant', 'create', 'Fabrikam'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Your role does not allow this'),
    });
    const technicians = await done<List<Thing>>(['technician', 'list']);
    expect(technicians.items.map(({ id }) => id)).toContain(bertId);
  });

  test('puts technicians into groups', async () => {
    const group = await done<Thing>(['group', 'create', 'First line']);
    const added = await done<{ members: Thing[] }>(['group', 'members', group.id, '--add', bertId]);
    expect(added.members.map(({ id }) => id)).toEqual([bertId]);
    firstLineId = group.id;
    expect(await done(['group', 'members', group.id, '--none'])).toMatchObject({ members: [] });
    expect(await done<List<{ name: string }>>(['group', 'list'])).toMatchObject({ items: [{ name: 'First line' }] });
  });

  test('a technician enrols TOTP', async () => {
    const { uri } = await done<{ uri: string }>(['--profile', 'bert', 'totp', 'enroll']);
    expect(await stint(['--profile', 'bert', 'totp', 'confirm', '-'], codeOf(uri))).toMatchObject({ exitCode: 0 });
    expect(await done(['--profile', 'bert', 'who-am-i'])).toMatchObject({ technician: { totpEnrolled: true } });
  });

  test('enrols a computer', async () => {
    const unused = await done<{ enrollmentToken: Thing }>(['enrollment-token', 'issue', tenantId, '--hours', '2']);
    await done(['enrollment-token', 'revoke', unused.enrollmentToken.id]);
    const { token } = await done<{ token: string }>(['enrollment-token', 'issue', tenantId, '--kind', 'workstation']);
    await computer.enroll(token);
    expect(await done<List<{ revoked: boolean; usesLeft: number }>>(['enrollment-token', 'list', tenantId])).toMatchObject({
      items: [{ revoked: true }, { usesLeft: 0 }],
    });
    expect(await done<List<Thing>>(['device', 'list', tenantId])).toMatchObject({
      items: [{ id: computer.id, hostName: 'ws-17', active: true }],
    });
  });

  test('sets access rules, and hears what they say', async () => {
    await done(['device', 'tag', computer.id, 'reception']);
    const hours = ['--hours', 'mon-fri 08:00-18:00', '--time-zone', 'Europe/Berlin'];
    const limits = ['--longest', '90', '--usual', '45', '--reason', '--approvals', '1', '--approver-group', firstLineId];
    const rule = await done<Thing>(['rule', 'add', tenantId, 'Reception', '--tag', 'reception', ...limits, ...hours]);
    const demands = { maxSeconds: 5400, defaultSeconds: 2700, requireReason: true, approvals: 1, approverGroup: { id: firstLineId } };
    expect(rule).toMatchObject({ ...demands, kinds: ['LOCAL_ADMIN'], deviceTags: ['reception'], timeZone: 'Europe/Berlin' });
    const explain = (at: string) => done(['explain', bertId, computer.id, '--at', at]);
    await eventually(async () =>
      expect(await explain('2026-11-23T09:00:00Z')).toMatchObject({ allowed: true, ruleId: rule.id, ...demands }),
    );
    expect(await explain('2026-11-22T09:00:00Z')).toMatchObject({ allowed: false, why: expect.stringContaining('Reception') });
    expect(await stint(['explain', bertId, computer.id])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Reception') });
    const changed = ['--any-device', '--usual', 'setting', '--no-reason', '--approvals', '0', '--any-approver', '--always', '--off'];
    expect(await done(['rule', 'change', rule.id, '--name', 'Lobby', ...changed])).toMatchObject({
      ...{ name: 'Lobby', enabled: false, deviceTags: [], maxSeconds: 5400, defaultSeconds: null, hours: [] },
      ...{ requireReason: false, approvals: 0, approverGroup: null },
    });
    expect(await done(['rule', 'show', rule.id])).toMatchObject({ name: 'Lobby' });
    expect(await stint(['rule', 'list', tenantId])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing (off)') });
    expect(await done(['rule', 'remove', rule.id, '--yes'])).toEqual({ id: rule.id });
    expect(await done(['request', 'list', tenantId])).toMatchObject({ items: [] });
  });

  test('sees sessions and ends them', async () => {
    const sessions = async (...of: string[]) => (await done<List<Thing & { current: boolean }>>(['session', 'list', ...of])).items;
    const others = (await sessions()).filter(({ current }) => !current);
    for (const { id } of others) expect(await done(['session', 'revoke', id])).toMatchObject({ id });
    expect(await sessions()).toMatchObject([{ client: 'stint-cli', current: true }]);
    expect(await sessions('--technician', bertId)).toMatchObject([{ signedInBy: 'PASSKEY' }, {}]);
  });

  test('a technician approves a login, sees the grant and ends it', async () => {
    // The computer reaches the policy by message: the first tries may come too early.
    const address = await eventually(() => computer.startLogin());
    expect(await done(['--profile', 'bert', 'login', 'show', address])).toMatchObject({
      state: 'PENDING',
      hostName: 'ws-17',
      tenantName: 'Contoso Dental',
      sessionSeconds: 1800,
      approveAt: address,
    });
    const phone = new Phone(bert, '');
    await phone.approve(address, await phone.scan(address), 'Printer');
    const [grant] = (await done<List<Thing>>(['grant', 'list', tenantId])).items;
    expect(grant).toMatchObject({
      state: 'APPROVED',
      reason: 'Printer',
      technician: { id: bertId },
      device: { id: computer.id },
    });
    expect(await done(['grant', 'show', grant?.id ?? ''])).toEqual(grant);
    expect(await done(['--profile', 'bert', 'grant', 'end', grant?.id ?? ''])).toMatchObject({ endReason: 'REVOKED' });
  });

  test('or denies one', async () => {
    const code = (await computer.startLogin()).split('/').at(-1) ?? '';
    expect(await done(['--profile', 'bert', 'login', 'deny', '-'], code)).toMatchObject({ state: 'DENIED' });
  });

  test('gives a partner a client of its own', async () => {
    const made = await done<Thing>([
      'api-client',
      'create',
      tenantId,
      'PSA',
      '--permission',
      'grant.read',
      '--new-key',
      join(folder, 'psa.pem'),
    ]);
    expect(await done<List<Thing>>(['api-client', 'list', tenantId])).toMatchObject({
      items: [{ id: made.id, active: true, permissions: ['grant.read'] }],
    });
    expect(await done(['api-client', 'revoke', made.id])).toMatchObject({ active: false });
  });

  test('the audit log tells all of it and verifies', async () => {
    const actions = async (tenant: string) =>
      (await done<List<{ action: string }>>(['audit', 'list', tenant, '--all'])).items.map(({ action }) => action);
    await eventually(async () => {
      expect(await actions(mspId)).toEqual(
        expect.arrayContaining(['tenant.created', 'technician.joined', 'totp.enrolled', 'group.changed']),
      );
      const logged = ['settings.changed', 'device.enrolled', 'login.approved', 'login.denied', 'grant.end-requested', 'client.revoked'];
      expect(await actions(tenantId)).toEqual(expect.arrayContaining(logged));
    });
    expect(await done(['audit', 'verify', tenantId])).toMatchObject({ intact: true, brokenAt: null });
    expect(await stint(['audit', 'verify', mspId])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('intact') });
    expect(await stint(['audit', 'list', tenantId])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('reason="Printer"') });
  });

  test('a technician who is switched off cannot sign in any more; on again, they sign in anew', async () => {
    await done(['technician', 'disable', bertId]);
    const refused = { exitCode: 1, stderr: expect.stringContaining('ask an administrator') };
    await eventually(async () => expect(await stint(['--profile', 'bert', 'who-am-i'])).toMatchObject(refused));
    await done(['technician', 'enable', bertId]);
    // Their sessions ended for good.
    expect(await stint(['--profile', 'bert', 'who-am-i'])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('stint sign-in') });
    expect(await stint(['--profile', 'bert', 'sign-in'], undefined, bert)).toMatchObject({ exitCode: 0 });
    expect(await stint(['--profile', 'bert', 'who-am-i'])).toMatchObject({ exitCode: 0 });
  });

  test('a recovery is started and cancelled, and nobody approves their own', async () => {
    const recovery = await done<Thing>(['recovery', 'start', bertId, '--reason', 'Phone lost; I called them back']);
    expect(await done(['recovery', 'show', bertId])).toMatchObject({ id: recovery.id, startedBy: { displayName: 'Ada Admin' } });
    expect(await stint(['recovery', 'approve', recovery.id])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('administrator'),
    });
    await done(['recovery', 'cancel', recovery.id]);
    expect(await stint(['recovery', 'show', bertId])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('No recovery') });
  });

  test('an identity provider that does not answer is refused, and none is set', async () => {
    const refused = { exitCode: 1, stderr: expect.stringContaining('issuer') };
    expect(await stint(['identity-provider', 'set', mspId, 'https://127.0.0.1:1', '--client-id', 'stint'])).toMatchObject(refused);
    expect(await stint(['identity-provider', 'show', mspId])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('No identity'),
    });
  });

  test('a revoked computer starts no login', async () => {
    expect(await done(['device', 'revoke', computer.id, '--yes'])).toMatchObject({ active: false });
    await eventually(() => expect(computer.startLogin()).rejects.toThrow(/refused/));
  });
});
