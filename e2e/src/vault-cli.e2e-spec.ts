// The command line of the vault against a whole installation: what readers and administrators do, and the drill of
// docs/break-glass-drill.md with exactly its commands, typed at a real terminal.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Person, startStack } from '@stint/embedded';
import { eventually } from '@stint/testing';
import { CommandLine } from './command-line.ts';
import { createInstallation, type Installation } from './installation.ts';
import { LapsComputer } from './laps-computer.ts';

interface Thing {
  id: string;
}
interface Account extends Thing {
  state: string;
  dueAt: string | null;
  finding: { digest: string } | null;
}
interface List<Item> {
  items: Item[];
}
interface Revealed {
  account: Account;
  candidates: { certainty: string; password: string }[];
}

const root = join(import.meta.dirname, '..', '..');
let installation: Installation;
let stack: Awaited<ReturnType<typeof startStack>> | undefined;
let folder: string;
let commands: CommandLine;
let bertId: string;
let readers: string;
let tenantId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stint-vault-cli-'));
  installation = await createInstallation();
  let firstLink = '';
  stack = await startStack(installation.environments, { onFirstLink: (link) => (firstLink = link) });
  commands = new CommandLine(installation.url, join(folder, 'config', 'stint'));
  const who = { displayName: 'Ada Admin', email: 'ada@northwind.example', mspName: 'Northwind MSP' };
  const ada = await Person.join(installation.url, firstLink, who);
  await commands.run(['sign-in', installation.url], undefined, ada);
  const { link, technician } = await commands.json<{ link: string; technician: Thing }>(['technician', 'invite', 'bert@northwind.example']);
  bertId = technician.id;
  const bert = await Person.join(installation.url, link, { displayName: 'Bert Berg', email: 'bert@northwind.example' });
  await commands.run(['--profile', 'bert', 'sign-in', installation.url, '--email', 'bert@northwind.example'], undefined, bert);
  readers = (await commands.json<Thing>(['group', 'create', 'Break-glass readers'])).id;
  await commands.json(['group', 'members', readers, '--add', ada.technicianId]);
  tenantId = (await commands.json<Thing>(['tenant', 'create', 'Contoso'])).id;
  await commands.json([
    'settings',
    'set',
    tenantId,
    'lapsLocalEnabled=on',
    `lapsReaderGroups=${readers}`,
    'lapsRotateAfterRevealSeconds=0',
  ]);
});
afterAll(async () => {
  await stack?.close();
  await installation.remove();
  await rm(folder, { recursive: true, force: true });
});

/** A computer of Contoso, with its account. */
async function enrolled(hostName: string): Promise<{ computer: LapsComputer; accountId: string }> {
  const computer = new LapsComputer(installation.url, hostName);
  await computer.enroll((await commands.json<{ token: string }>(['enrollment-token', 'issue', tenantId, '--kind', 'workstation'])).token);
  const accountId = await eventually(async () => {
    const { items } = await commands.json<List<Account & { device: { id: string } | null }>>(['laps', 'list', tenantId]);
    const account = items.find(({ device }) => device?.id === computer.id);
    if (account === undefined) throw new Error('No account yet.');
    return account.id;
  });
  return { computer, accountId };
}

async function checkedIn(computer: LapsComputer): Promise<void> {
  await eventually(async () => expect(await computer.checkIn()).toBe(true));
}

/** A change is never asked for twice within a minute: as if an hour had gone by. */
async function anHourLater(): Promise<void> {
  await installation.database.query(`update laps_vault.laps_account set confirmed_at = confirmed_at - interval '1 hour'`);
}

const refused = (told: string) => ({ exitCode: 1, stdout: '', stderr: expect.stringContaining(told) });

describe('a break-glass password', () => {
  let computer: LapsComputer;
  let accountId: string;
  const reveal = (...more: string[]) => ['laps', 'reveal', accountId, '--reason', 'Network down', ...more];

  test('is there after the first check-in, and read by readers alone', async () => {
    ({ computer, accountId } = await enrolled('ws-1'));
    expect(await commands.run(reveal())).toMatchObject(refused('no password'));
    await checkedIn(computer);
    await eventually(async () => {
      const { candidates } = await commands.json<Revealed>(reveal());
      expect(candidates).toMatchObject([{ certainty: 'CONFIRMED', password: computer.password }]);
    });
    expect(await commands.run(['--profile', 'bert', ...reveal()])).toMatchObject(refused('groups'));
    const { stdout, stderr } = await commands.run(reveal('--phonetic', '--qr'));
    expect(stdout).toContain(computer.password);
    expect(stdout).toContain('confirmed, spelled:\n  papa, whiskey, hyphen,');
    expect(stderr).not.toContain(computer.password);
  });

  test('is changed after it was read; the former one is kept', async () => {
    await anHourLater();
    const before = computer.password;
    await commands.json(reveal());
    await checkedIn(computer);
    expect(computer.password).not.toBe(before);
    const { candidates } = await commands.json<Revealed>(reveal('--history'));
    expect(candidates.map(({ certainty, password }) => [certainty, password])).toEqual([
      ['CONFIRMED', computer.password],
      ['FORMER', before],
    ]);
  });

  test('is for one alone while it is checked out, and changed when it is given back', async () => {
    await commands.json(['group', 'members', readers, '--add', bertId]);
    const out = ['laps', 'check-out', accountId, '--reason', 'Migration', '--hours', '1'];
    const { candidates } = await commands.json<Revealed>(out);
    expect(candidates).toMatchObject([{ certainty: 'CONFIRMED', password: computer.password }]);
    await eventually(async () =>
      expect(await commands.run(['--profile', 'bert', ...reveal()])).toMatchObject(refused('Somebody else has checked this account out')),
    );
    expect(await commands.run(['--profile', 'bert', 'laps', 'check-in', accountId])).toMatchObject({ exitCode: 1 });
    expect(await commands.run(['laps', 'show', accountId])).toMatchObject({ stdout: expect.stringMatching(/checked out by +Ada Admin/) });
    expect(await commands.json(['laps', 'check-in', accountId])).toMatchObject({ checkedOutUntil: null });
    await checkedIn(computer);
  });

  test('stays readable while the vault key changes', async () => {
    const { id } = await commands.json<Thing>(['vault', 'key', 'rotate', tenantId]);
    await eventually(async () =>
      expect(await commands.json(['vault', 'key', 'show', tenantId])).toMatchObject({ vaultKey: { id, behind: 0 } }),
    );
    expect((await commands.json<Revealed>(reveal())).candidates[0]).toMatchObject({ password: computer.password });
    expect(await commands.run(['--profile', 'bert', 'vault', 'key', 'rotate', tenantId])).toMatchObject(refused('role'));
  });

  test('of an account that was there before is ours only after a yes to what was shown', async () => {
    const other = await enrolled('ws-2');
    const digest = 'ab'.repeat(32);
    const finding = { digest, uid: 1000, lastLogOnAt: '2026-11-01T08:00:00Z', groups: ['sudo'], uses: ['crontab: backup.sh'] };
    await other.computer.report(finding);
    const { items } = await commands.json<List<Account>>(['laps', 'list', tenantId, '--attention']);
    expect(items).toMatchObject([{ id: other.accountId, state: 'FOUND' }]);
    const asked = await commands.run(['laps', 'take-over', other.accountId]);
    expect(asked).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(/crontab: backup\.sh[^]*--yes abab/) });
    expect(await other.computer.takeOver()).toBeNull();
    expect(await commands.run(['laps', 'take-over', other.accountId, '--yes', 'cd'.repeat(32)])).toMatchObject(
      refused('Look at the account'),
    );
    await commands.json(['laps', 'take-over', other.accountId, '--yes', digest]);
    expect(await other.computer.takeOver()).toBe(digest);
  });
});

/** Types at a real pseudo-terminal, made by script(1); answers what is asked, and says what was shown there. */
async function typeAtTerminal(command: string, where: { cwd: string; env: Record<string, string> }, answers: [RegExp, string][]) {
  const { PATH = '' } = process.env;
  const env = { ...where.env, PATH: `${join(folder, 'bin')}:${PATH}`, SHELL: '/bin/sh', NO_COLOR: '1' };
  const terminal = spawn('script', ['-qfec', command, '/dev/null'], { cwd: where.cwd, env, stdio: 'pipe' });
  let shown = '';
  let told = 0;
  terminal.stdout.on('data', (chunk) => {
    shown += String(chunk);
    for (const [question, answer] of answers) {
      const asked = question.exec(shown.slice(told));
      if (asked === null) continue;
      told += asked.index + asked[0].length;
      terminal.stdin.write(`${answer}\r`);
    }
  });
  const [exitCode] = (await once(terminal, 'close')) as [number];
  return { command, exitCode, shown: shown.replaceAll('\r', '') };
}

describe('the drill of docs/break-glass-drill.md', () => {
  const passphrase = 'correct horse battery staple';
  const answers: [RegExp, string][] = [
    [/(at least|more|offline key): $/, passphrase],
    [/\[y\/N\] $/, 'y'],
  ];

  test('works as it is written', async () => {
    const { computer, accountId } = await enrolled('ws-17');
    await checkedIn(computer);
    await mkdir(join(folder, 'bin'));
    const program = join(root, 'clients', 'cli', 'dist', 'main.js');
    await writeFile(join(folder, 'bin', 'stint'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 });

    const document = await readFile(join(root, 'docs', 'break-glass-drill.md'), 'utf8');
    const lines = [...document.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, block = '']) => block.trim().split('\n'));
    const signedIn = { cwd: folder, env: { HOME: folder, XDG_CONFIG_HOME: join(folder, 'config') } };
    const offline = { cwd: folder, env: { HOME: join(folder, 'nobody') } };
    /** The next command of the document, which must begin so and work. */
    const next = async (beginning: string, where: typeof signedIn | typeof offline): Promise<string> => {
      const line = lines.shift() ?? 'nothing';
      expect(line).toMatch(new RegExp(`^${beginning}( |$)`));
      const command = line.replaceAll('<tenant>', tenantId).replaceAll('<account>', accountId);
      const { exitCode, shown } = await typeAtTerminal(command, where, answers);
      expect({ command, exitCode, shown }).toMatchObject({ exitCode: 0 });
      expect(shown).not.toContain(passphrase);
      return shown;
    };
    const fingerprint = (shown: string) => /fingerprint +([0-9a-f]{64})/.exec(shown)?.[1] ?? 'none';
    const sha256 = (shown: string) => /SHA-256[^\n]* ([0-9a-f]{64})\n/.exec(shown)?.[1] ?? 'none';

    const noted = fingerprint(await next('stint vault offline-key make', offline));
    expect(noted).toHaveLength(64);
    expect(fingerprint(await next('stint vault offline-key set', signedIn))).toBe(noted);
    expect(fingerprint(await next('stint vault key show', signedIn))).toBe(noted);
    const exported = await next('stint vault export', signedIn);
    expect(exported).not.toContain(computer.password);

    await stack?.close();
    stack = undefined;
    const opened = await next('stint vault open', offline);
    expect(sha256(opened)).toBe(sha256(exported));
    expect(/^ws-17 +(\S+) +(\S+) +confirmed/m.exec(opened)?.slice(1)).toEqual(['stint-admin', computer.password]);

    stack = await startStack(installation.environments, { onFirstLink: () => undefined });
    await anHourLater();
    const before = computer.password;
    expect(await next('stint laps list', signedIn)).toMatch(new RegExp(`^${accountId} +ws-17`, 'm'));
    await next('stint laps rotate', signedIn);
    await checkedIn(computer);
    expect(computer.password).not.toBe(before);
    expect(await next('stint laps show', signedIn)).toMatch(/state +confirmed/);
    await next('stint vault export', signedIn);
    await eventually(async () => {
      const { items } = await commands.json<List<{ action: string }>>(['audit', 'list', tenantId, '--all']);
      const logged = items.map(({ action }) => action);
      expect(logged).toEqual(expect.arrayContaining(['offline-key.changed', 'laps.exported', 'laps.rotation-asked']));
    });
    expect(await next('stint audit list', signedIn)).toContain('Break-glass drill');
    expect(lines).toEqual([]);
  });
});
