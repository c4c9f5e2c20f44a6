import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { privateKeyFromPem, publicKeyX } from '@stint/crypto';
import { capture, type Surroundings } from '../captured-run.support.ts';
import { hangUp, ScriptedGateway, type Call } from '../scripted-gateway.support.ts';

const token = 'Zm9vYmFyYmF6cXV4MTIzNA';
const technician = { id: '019ab0c0-0000-7000-8000-000000000001', displayName: 'Anna', email: 'anna@example.com' };
const tenant = { id: '019ab0c0-0000-7000-8000-000000000002', name: 'Contoso' };

let gateway: ScriptedGateway;
let folder: string;
let link: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stint-cli-'));
  gateway = new ScriptedGateway();
  gateway.registered = new Set();
  await gateway.start();
  link = `${gateway.url}/join#${token}`;
  gateway.on('RedeemInvitation', (call) => signUp(call));
  gateway.on('WhoAmI', () => ({
    viewer: {
      kind: 'TECHNICIAN',
      id: technician.id,
      access: [{ tenant: { name: 'Northwind' }, permissions: ['tenant.read'] }],
      tenant,
      technician: { ...technician, roles: [{ role: 'ADMINISTRATOR', tenant: { name: 'Northwind' } }], totpEnrolled: false, groups: [] },
    },
  }));
});
afterEach(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true, force: true });
});

interface RedeemInput {
  token: string;
  credentialId: string;
  publicKey: string;
  displayName: string;
  email?: string;
  mspName?: string;
}
const inputOf = (call: Call | undefined) => call?.variables['input'] as RedeemInput;
const redemptions = () => gateway.calls.filter(({ operation }) => operation === 'RedeemInvitation').map(inputOf);

function signUp(call: Call): object {
  const { credentialId } = inputOf(call);
  gateway.registered?.add(credentialId);
  return { redeemInvitation: { __typename: 'SignUp', credentialId, technician } };
}

const refuseOnce = (message: string) => ({ redeemInvitation: { __typename: 'InvitationInvalid', message } });
const stint = (argv: string[], surroundings: Surroundings = {}) => capture(['--config-dir', folder, ...argv], surroundings);
const profiles = () => readdir(join(folder, 'profiles')).catch(() => []);

describe('signing in', () => {
  test('registers a key made here, keeps it, and signs in with it', async () => {
    const { exitCode, stdout } = await stint(['sign-in', link, '--name', 'Anna']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Contoso');
    const [input] = redemptions();
    const kept = JSON.parse(await readFile(join(folder, 'profiles', 'default.json'), 'utf8')) as {
      privateKey: string;
      credentialId: string;
    };
    expect(input).toEqual({
      token,
      displayName: 'Anna',
      credentialId: kept.credentialId,
      publicKey: publicKeyX(privateKeyFromPem(kept.privateKey)),
    });
    expect(await stint(['who-am-i'])).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining('anna@example.com') });
    expect(gateway.calls.at(-1)).toMatchObject({ operation: 'WhoAmI', credentialId: kept.credentialId });
  });

  test('has the key on disk, private, before the server hears of it', async () => {
    let seen: unknown;
    gateway.on('RedeemInvitation', async (call) => {
      const path = join(folder, 'profiles', 'default.pending.json');
      seen = { mode: (await stat(path)).mode & 0o777, ...(JSON.parse(await readFile(path, 'utf8')) as object) };
      return signUp(call);
    });
    await stint(['sign-in', link, '--name', 'Anna']);
    expect(seen).toMatchObject({ mode: 0o600, credentialId: redemptions()[0]?.credentialId });
    expect(await profiles()).toEqual(['default.json']);
  });

  test.each(['stdin', 'a terminal'])('takes the link from %s, and leaves the token nowhere', async (from) => {
    const surroundings = from === 'stdin' ? { stdin: `${link}\n` } : { typed: [link] };
    const { exitCode, stdout, stderr } = await stint(['sign-in', '-', '--name', 'Anna'], surroundings);
    expect(exitCode).toBe(0);
    const kept = await readFile(join(folder, 'profiles', 'default.json'), 'utf8');
    for (const text of [stdout, stderr, kept]) expect(text).not.toContain(token);
  });

  test('takes the bare token with --url', async () => {
    expect(await stint(['sign-in', '-', '--url', gateway.url, '--name', 'Anna'], { stdin: token })).toMatchObject({ exitCode: 0 });
    expect(redemptions()[0]?.token).toBe(token);
  });

  test('asks for the name, and for what the first administrator must tell', async () => {
    gateway.on('RedeemInvitation', (call) => {
      const { email, mspName } = inputOf(call);
      const invalid = (field: string) => ({ redeemInvitation: { __typename: 'InvalidInput', message: 'Needed here.', field } });
      return email === undefined ? invalid('email') : mspName === undefined ? invalid('mspName') : signUp(call);
    });
    expect(await stint(['sign-in', link], { typed: ['  Anna ', 'Anna@Example.com', 'Contoso IT'] })).toMatchObject({ exitCode: 0 });
    expect(redemptions().at(-1)).toMatchObject({ displayName: 'Anna', email: 'anna@example.com', mspName: 'Contoso IT' });
    expect(new Set(redemptions().map(({ credentialId }) => credentialId)).size).toBe(1);
  });

  test('sends what the first administrator tells by flags', async () => {
    await stint(['sign-in', link, '--name', 'Anna', '--email', 'anna@example.com', '--msp', 'Contoso IT']);
    expect(redemptions()[0]).toMatchObject({ email: 'anna@example.com', mspName: 'Contoso IT' });
  });

  test.each([
    [[], /--name/],
    [['--name', 'Anna'], /--email and --msp/],
  ])('where nobody can be asked (%j) says which option is missing, and leaves nothing behind', async (flags, told) => {
    gateway.on('RedeemInvitation', () => ({ redeemInvitation: { __typename: 'InvalidInput', message: 'Needed here.', field: 'email' } }));
    const { exitCode, stderr } = await stint(['sign-in', link, ...flags]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(told);
    expect(await profiles()).toEqual([]);
  });

  test('that the server refuses says why and leaves nothing behind', async () => {
    gateway.on('RedeemInvitation', () => refuseOnce('This link was used. Ask an administrator for a new link.'));
    expect(await stint(['sign-in', link, '--name', 'Anna'])).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: 'stint: This link was used. Ask an administrator for a new link.\n',
    });
    expect(await profiles()).toEqual([]);
  });

  test('whose answer was lost goes on with the key that the server took', async () => {
    gateway.on('RedeemInvitation', (call) => {
      signUp(call);
      return hangUp;
    });
    const lost = await stint(['sign-in', link, '--name', 'Anna']);
    expect(lost).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('run the same command again') });
    expect(await stint(['who-am-i'])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('was not finished') });
    expect(await stint(['sign-in', link])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('anna@example.com') });
    expect(redemptions()).toHaveLength(1);
    expect(await stint(['who-am-i'])).toMatchObject({ exitCode: 0 });
  });

  test('that never reached the server goes on with the same key', async () => {
    gateway.on('RedeemInvitation', () => hangUp);
    await stint(['sign-in', link, '--name', 'Anna']);
    gateway.on('RedeemInvitation', signUp);
    expect(await stint(['sign-in', link, '--name', 'Anna'])).toMatchObject({ exitCode: 0 });
    const [first, second] = redemptions();
    expect(second?.credentialId).toBe(first?.credentialId);
    expect(second?.publicKey).toBe(first?.publicKey);
  });

  test('that the server refuses because another run with the same key got through is signed in', async () => {
    gateway.on('RedeemInvitation', () => hangUp);
    await stint(['sign-in', link, '--name', 'Anna']);
    gateway.on('RedeemInvitation', (call) => {
      signUp(call);
      return refuseOnce('This link was used.');
    });
    expect(await stint(['sign-in', link, '--name', 'Anna'])).toMatchObject({ exitCode: 0 });
    expect(await stint(['who-am-i'])).toMatchObject({ exitCode: 0 });
  });

  test('never turns another link into the person of an earlier, lost one', async () => {
    gateway.on('RedeemInvitation', (call) => {
      signUp(call);
      return hangUp;
    });
    await stint(['sign-in', link, '--name', 'Anna']);
    const other = await stint(['sign-in', `${link}x`, '--name', 'Bert']);
    expect(other).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('the profile is now anna@example.com') });
    expect(redemptions()).toHaveLength(1);
    expect(await profiles()).toEqual(['default.json']);
  });

  test('with another link forgets a key that never reached the server', async () => {
    gateway.on('RedeemInvitation', () => hangUp);
    await stint(['sign-in', link, '--name', 'Anna']);
    gateway.on('RedeemInvitation', signUp);
    expect(await stint(['sign-in', `${link}x`, '--name', 'Bert'])).toMatchObject({ exitCode: 0 });
    const [first, second] = redemptions();
    expect(second?.credentialId).not.toBe(first?.credentialId);
  });

  test('keeps the key that there is, unless told otherwise', async () => {
    await stint(['sign-in', link, '--name', 'Anna']);
    const path = join(folder, 'profiles', 'default.json');
    const digest = async () =>
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
    const before = await digest();
    expect(await stint(['sign-in', link, '--name', 'Anna'])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('--replace') });
    gateway.on('RedeemInvitation', () => refuseOnce('Used.'));
    expect(await stint(['sign-in', `${link}x`, '--name', 'Anna', '--replace'])).toMatchObject({ exitCode: 1 });
    expect(await digest()).toBe(before);
    gateway.on('RedeemInvitation', signUp);
    expect(await stint(['sign-in', `${link}y`, '--name', 'Anna', '--replace'])).toMatchObject({ exitCode: 0 });
    expect(await digest()).not.toBe(before);
  });

  test('uses the profile that the option or the environment names', async () => {
    await stint(['sign-in', link, '--name', 'Anna', '--profile', 'work']);
    await stint(['sign-in', link, '--name', 'Anna'], { env: { STINT_PROFILE: 'lab' } });
    expect(await profiles()).toEqual(['lab.json', 'work.json']);
    expect(await stint(['who-am-i'])).toMatchObject({ exitCode: 1 });
    expect(await stint(['--profile', 'work', 'who-am-i'])).toMatchObject({ exitCode: 0 });
    expect(await stint(['who-am-i'], { env: { STINT_PROFILE: 'lab' } })).toMatchObject({ exitCode: 0 });
  });

  test('keeps profiles where XDG_CONFIG_HOME says', async () => {
    await capture(['sign-in', link, '--name', 'Anna'], { env: { XDG_CONFIG_HOME: folder } });
    expect(await readdir(join(folder, 'stint', 'profiles'))).toEqual(['default.json']);
  });

  test('ends where others could have read the key', async () => {
    await stint(['sign-in', link, '--name', 'Anna']);
    await chmod(join(folder, 'profiles', 'default.json'), 0o644);
    const calls = gateway.calls.length;
    expect(await stint(['who-am-i'])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Others can reach') });
    expect(gateway.calls).toHaveLength(calls);
  });

  test('that was revoked says what to do', async () => {
    await stint(['sign-in', link, '--name', 'Anna']);
    gateway.registered?.clear();
    expect(await stint(['who-am-i'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('ask an administrator for a new invitation'),
    });
  });
});
