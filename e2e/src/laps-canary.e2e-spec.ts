// Break-glass passwords on their whole way, with every wire recorded and every log at its most talkative: the passwords are known
// in the end, from what readers were shown, and stand nowhere but there.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateHpkeKeyPair, lapsSealing, openSealed, type HpkeKeyPair } from '@stint/crypto';
import { computerFolders, enrollComputer, invite, Person, seed, type Seeded } from '@stint/embedded';
import { newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { CommandLine } from './command-line.ts';
import type { Installation } from './installation.ts';
import { found, spellings } from './secret-scan.ts';
import { ask } from './sign-in-world.ts';
import { filesIn, TappedInstallation } from './tapped-installation.support.ts';

interface Revealed {
  candidates: { certainty: string; password: string }[];
}

let tapped: TappedInstallation;
let installation: Installation;
let agent: ChildProcess | undefined;
let agentLog = '';
let world: Seeded;
let commands: CommandLine;
let configFolder: string;
let accountId: string;
let offline: HpkeKeyPair;
const secrets: Record<string, string> = {};

beforeAll(async () => {
  tapped = await TappedInstallation.start();
  installation = tapped.installation;
  world = await seed(installation.url, tapped.processes.firstLink);
  configFolder = await mkdtemp(join(tmpdir(), 'stint-canary-'));
  commands = new CommandLine(installation.url, configFolder);
  await commands.run(['sign-in', installation.url], undefined, world.administrator);
  const readers = (await commands.json<{ id: string }>(['group', 'create', 'Break-glass readers'])).id;
  await commands.json(['group', 'members', readers, '--add', world.administrator.technicianId]);
  await commands.json(['settings', 'set', world.tenantId, 'lapsLocalEnabled=on', `lapsReaderGroups=${readers}`]);
  await enrollComputer(installation.directory, installation.url, world.enrollmentToken);
}, 240_000);
afterAll(async () => {
  await stopAgent();
  await tapped.stop();
  await rm(configFolder, { recursive: true, force: true });
});

async function stopAgent(): Promise<void> {
  if (agent === undefined) return;
  const closed = once(agent, 'close');
  agent.kill('SIGTERM');
  await closed;
  agent = undefined;
}

/** The agent as on a real computer, on its private root. It asks at its start; a nudge may be lost. */
async function startAgent(): Promise<void> {
  await stopAgent();
  const { state, root } = computerFolders(installation.directory);
  const program = join(import.meta.dirname, '..', '..', 'clients', 'agent', 'dist', 'main.js');
  const started = spawn(process.execPath, [program, 'run', '--state', state, '--root', root], {
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LOG_LEVEL: 'debug' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [started.stdout, started.stderr]) stream.on('data', (chunk) => (agentLog += String(chunk)));
  agent = started;
}

const reveal = () => commands.json<Revealed>(['laps', 'reveal', accountId, '--reason', 'Network down', '--history']);

/** The password on the computer, once there is another one than the known ones. */
async function newPassword(): Promise<string> {
  return eventually(async () => {
    // Ten a minute are shown to one person: asked only when the agent says that it has changed it.
    const changes = agentLog.split('Break-glass password changed.').length - 1;
    if (changes <= Object.keys(secrets).length) throw new Error('Not changed yet.');
    const [first] = (await reveal()).candidates;
    if (first?.certainty !== 'CONFIRMED') throw new Error('Not confirmed yet.');
    return first.password;
  });
}

/** All places but the one where a reader is shown a password. */
async function places(): Promise<Record<string, Buffer | string>> {
  return { ...(await tapped.places()), 'the log of the agent': agentLog, 'files of the command line': await filesIn(configFolder) };
}

describe('no break-glass password stands anywhere but where a reader is shown it', () => {
  test('after it was made, shown, changed, shown with its history, exported and kept under another vault key', async () => {
    accountId = await eventually(async () => {
      const { items } = await commands.json<{ items: { id: string }[] }>(['laps', 'list', world.tenantId]);
      if (items[0] === undefined) throw new Error('No account yet.');
      return items[0].id;
    });
    await startAgent();
    secrets['the first password'] = await newPassword();
    await tapped.dumpQueue();
    await installation.database.query(`update laps_vault.laps_account set confirmed_at = confirmed_at - interval '1 hour'`);
    await commands.json(['laps', 'rotate', accountId, '--reason', 'Drill']);
    await startAgent();
    secrets['the second password'] = await newPassword();
    expect((await reveal()).candidates.map(({ password }) => password)).toEqual(Object.values(secrets).reverse());
    await commands.json(['vault', 'key', 'rotate', world.tenantId]);
    await eventually(async () =>
      expect(await commands.json(['vault', 'key', 'show', world.tenantId])).toMatchObject({ vaultKey: { behind: 0 } }),
    );
    // As `stint vault export` asks; vault-cli.e2e-spec.ts has the command with its offline key.
    offline = await generateHpkeKeyPair();
    const { client } = world.administrator;
    const set = 'mutation ($input: SetOfflineKeyInput!) { answer: setOfflineKey(input: $input) { __typename } }';
    await ask(client, set, { input: { tenantId: world.tenantId, publicKey: offline.publicKey } });
    const exported =
      'mutation ($input: ExportVaultInput!) { answer: exportVault(input: $input) { ... on VaultExport { accounts { enc ciphertext } } } }';
    const { answer } = await ask(client, exported, { input: { tenantId: world.tenantId, reason: 'Drill' } });
    const [sealed] = (answer as unknown as { accounts: { enc: string; ciphertext: string }[] }).accounts;
    const { info, aad } = lapsSealing.export;
    const place = { privateKey: offline.privateKey, info, aad: aad(world.tenantId, accountId) };
    const opened = (await openSealed(place, sealed ?? { enc: '', ciphertext: '' })).toString();
    expect(found(secrets, { opened })).toHaveLength(2);
    // Somebody who may not is refused; what does not open any more is a fault, with words in a log. Neither tells more.
    const email = 'eve@northwind.example';
    const link = await invite(client, { id: newId(), tenantId: world.mspId, email, roles: ['TECHNICIAN'] });
    const eve = await Person.join(installation.url, link, { displayName: 'Eve', email });
    const refused = 'mutation ($input: RevealLapsPasswordInput!) { answer: revealLapsPassword(input: $input) { __typename } }';
    const input = { id: newId(), accountId, reason: 'Curious', recipientKey: offline.publicKey };
    await eventually(async () =>
      expect(await ask(eve.client, refused, { input })).toMatchObject({ answer: { __typename: 'LapsAccessDenied' } }),
    );

    await installation.database.query(
      'update laps_vault.laps_version set ciphertext = set_byte(ciphertext, 0, get_byte(ciphertext, 0) # 1)',
    );
    expect(await commands.run(['laps', 'reveal', accountId, '--reason', 'Network down'])).toMatchObject({ exitCode: 1, stdout: '' });

    const everywhere = await places();
    expect(found(secrets, everywhere)).toEqual([]);
    // The recorders and readers hear what passes: each place has something that is no secret.
    const open = {
      ...{ 'traffic between clients and the gateway': accountId, 'traffic between the gateway and laps-vault': accountId },
      ...{ 'traffic between the gateway and tenants': world.tenantId, 'traffic between the gateway and jit-policy': world.tenantId },
      ...{ 'traffic between services and PostgreSQL': accountId, 'the rows of PostgreSQL': accountId },
      ...{ 'logs of the services and the gateway': '"level":', 'the log of the agent': 'Break-glass password changed.' },
      ...{ 'files of the installation and the computer': accountId, 'files of the command line': installation.url },
      ...(tapped.redis === null ? {} : { 'traffic between services and Redis': 'audit-recorded', 'dumps of Redis': 'bull:' }),
    };
    for (const [name, text] of Object.entries(open)) expect([name, everywhere[name]?.includes(text)]).toEqual([name, true]);
  });

  test('one that stood there would be found', async () => {
    const [password = ''] = Object.values(secrets);
    const [secret] = Object.entries(secrets).slice(0, 1);
    await installation.database.query(
      `create table jit_policy.canary as select decode('${Buffer.from(password).toString('hex')}', 'hex') as leaked`,
    );
    const leaked = await places();
    expect(found(Object.fromEntries([secret ?? ['', '']]), leaked)).toEqual(['the first password in the rows of PostgreSQL']);
    for (const name of Object.keys(leaked))
      for (const spelled of spellings(password))
        expect(found(secrets, { [name]: Buffer.concat([Buffer.from(leaked[name] ?? ''), Buffer.from(`…${spelled}…`)]) })).toContain(
          `the first password in ${name}`,
        );
  });

  test.each([
    ['in JSON in JSON', (text: string) => JSON.stringify(JSON.stringify({ text })).slice(1, -1), 'Plain-And-Long-1'],
    ['in the middle of what is in base64', (text: string) => Buffer.from(`{"a":"${text}"}`).toString('base64'), 'Sign"s-And-Long-1'],
    ['in a URL', (text: string) => `?q=${encodeURIComponent(text)}`, 'Sign&s-And Long-1'],
    ['in hex', (text: string) => `\\x${Buffer.from(`a${text}b`).toString('hex')}`, 'Grün-And-Long-1'],
  ])('%s as well', (_, write, secret) => expect(found({ secret }, { there: write(secret) })).toEqual(['secret in there']));
});
