// The way of a password that is left when the server is gone: make → export → open, and what must not open.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { lapsSealing, sealTo } from '@stint/crypto';
import { capture, type Surroundings } from '../captured-run.support.ts';
import { anId, signedIn, tenantId } from '../signed-in.support.ts';
import { openOfflineKey, readOfflineKey } from './offline-key.ts';

const here = signedIn();
const passphrase = 'correct horse battery';
const vaultKey = { id: anId(40), publicKey: 'v'.repeat(43), createdAt: '2026-11-01T00:00:00Z', behind: 0 };

interface Made {
  publicKey: string;
  fingerprint: string;
}
interface Line {
  certainty: string;
  password: string;
  hostName?: string;
}

/** An account as the vault exports it. */
async function exported(publicKey: string, number: number, hostName: string, lines: Line[], sealedFor = anId(number)) {
  const at = { escrowedAt: '2026-11-24T01:00:00.000Z', confirmedAt: '2026-11-24T01:00:05.000Z' };
  const name = 'stint-admin';
  const text = lines.map((line, index) => JSON.stringify({ hostName, name, versionId: anId(900 + index), ...at, ...line })).join('\n');
  const { info, aad } = lapsSealing.export;
  const sealed = await sealTo({ publicKey, info, aad: aad(tenantId, sealedFor) }, Buffer.from(text));
  return { accountId: anId(number), hostName, name, ...sealed };
}

describe('the offline key', () => {
  const at = (name: string) => join(here.folder, name);
  const make = (surroundings: Surroundings) => here.stint(['vault', 'offline-key', 'make', '--out', at('offline.key')], surroundings);

  test('is made without a server: the private half under a passphrase, for this person alone; nothing of it is shown', async () => {
    await here.gateway.stop();
    const { exitCode, stdout, stderr } = await make({ stdin: `${passphrase}\n` });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const kept = JSON.parse(await readFile(at('offline.key'), 'utf8')) as { publicKey: string; privateKey: object };
    expect(kept).toEqual({
      format: 'stint-offline-key',
      version: 1,
      publicKey: expect.stringMatching(/^[\w-]{43}$/),
      privateKey: { kdf: 'scrypt-131072-8-1', salt: expect.any(String), sealed: expect.any(String) },
    });
    expect((await stat(at('offline.key'))).mode & 0o777).toBe(0o600);
    expect(await readFile(at('offline.key.pub'), 'utf8')).toBe(`${kept.publicKey}\n`);
    expect(stdout).toContain(kept.publicKey);
    expect(stdout).toMatch(/fingerprint +[0-9a-f]{64}\n/);
  });

  test('is never written over another', async () => {
    await writeFile(at('offline.key.pub'), 'mine');
    expect(await make({ stdin: passphrase })).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('already') });
    expect(await readFile(at('offline.key.pub'), 'utf8')).toBe('mine');
  });

  test.each<[string, Surroundings]>([
    ['too short', { stdin: 'elevenchars' }],
    ['missing', {}],
    ['typed differently the second time', { typed: [passphrase, `${passphrase}!`] }],
  ])('is not made with a passphrase that is %s', async (_, surroundings) => {
    expect(await make(surroundings)).toMatchObject({ exitCode: 2, stdout: '' });
    await expect(stat(at('offline.key'))).rejects.toThrow();
  });

  test('is made at a terminal with the passphrase typed twice', async () => {
    expect(await make({ typed: [passphrase, passphrase] })).toMatchObject({ exitCode: 0 });
  });

  test('is made at a real terminal, which does not show what is typed', async () => {
    const argv = [join(import.meta.dirname, '..', 'main.ts'), 'vault', 'offline-key', 'make', '--out', at('offline.key')];
    const command = [process.execPath, '--conditions=@stint/source', '--disable-warning=ExperimentalWarning', ...argv];
    const terminal = spawn('script', ['-qfec', command.map((word) => `'${word}'`).join(' '), '/dev/null'], { stdio: 'pipe' });
    let shown = '';
    let typed = 0;
    terminal.stdout.on('data', (chunk) => {
      shown += String(chunk);
      // The second one with a slip that is taken back.
      if (typed < (shown.match(/least:|more:/g) ?? []).length)
        terminal.stdin.write(typed++ === 0 ? `${passphrase}\r` : `${passphrase}x\x7f\r`);
    });
    await once(terminal, 'close');
    expect(shown).toContain('Offline key made');
    expect(shown).not.toContain('correct');
    expect(shown).not.toContain('battery');
    const kept = await readOfflineKey(at('offline.key'));
    expect(await openOfflineKey(kept, passphrase)).toHaveLength(32);
  });

  describe('of a tenant', () => {
    const publicKey = 'HGwEVw_a4LpF7QpZqFh6l5q7EdvBb-R2RK3-mUJhT2k';
    beforeEach(() => {
      here.gateway.on('TenantVault', () => ({ tenant: { id: tenantId, name: 'Contoso', vaultKey, offlineKey: null } }));
      here.gateway.on('SetOfflineKey', ({ variables }) => ({
        setOfflineKey: {
          ...{ __typename: 'Tenant', id: tenantId, name: 'Contoso' },
          offlineKey: (variables['input'] as { publicKey: string | null }).publicKey,
        },
      }));
    });
    const set = (key: string, surroundings?: Surroundings) =>
      here.stint(['vault', 'offline-key', 'set', tenantId, key, ...(surroundings === undefined ? ['--yes'] : [])], surroundings);

    test('is set by the key, or by the file that has it', async () => {
      await writeFile(at('a.pub'), `${publicKey}\n`);
      for (const given of [publicKey, at('a.pub')]) expect(await set(given)).toMatchObject({ exitCode: 0 });
      expect(here.sent('SetOfflineKey')).toEqual([
        { tenantId, publicKey },
        { tenantId, publicKey },
      ]);
    });

    test('is set after its fingerprint was agreed to', async () => {
      expect(await set(publicKey, { typed: ['n'] })).toMatchObject({ exitCode: 1, stdout: '' });
      expect(here.sent('SetOfflineKey')).toEqual([]);
      const { exitCode, stderr } = await set(publicKey, { typed: ['y'] });
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/Contoso[^]*[0-9a-f]{64}/) });
      expect(await set(publicKey, {})).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
    });

    test('is not set by the private half, by no key, or by no file', async () => {
      await make({ stdin: passphrase });
      await writeFile(at('none'), 'no key');
      for (const [given, told] of [
        [at('offline.key'), '.pub'],
        [at('none'), 'no public key'],
        [at('missing'), 'no such file'],
      ] as const)
        expect(await set(given)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(told) });
      expect(here.gateway.calls).toEqual([]);
    });

    test('is taken away, and shown beside the vault key, which is changed', async () => {
      expect(await here.stint(['vault', 'offline-key', 'remove', tenantId, '--yes'])).toMatchObject({ exitCode: 0 });
      expect(here.sent('SetOfflineKey')).toEqual([{ tenantId, publicKey: null }]);
      const shown = await here.stint(['vault', 'key', 'show', tenantId]);
      expect(shown).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/vault key +v{43}[^]*offline key +none/) });
      here.gateway.on('RotateVaultKey', () => ({ rotateVaultKey: { __typename: 'VaultKey', ...vaultKey, behind: 7 } }));
      const rotated = await here.stint(['vault', 'key', 'rotate', tenantId]);
      expect(rotated).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/older keys +7/) });
    });
  });
});

describe('an export', () => {
  const keys: string[] = [];
  const made: Made[] = [];
  let folder: string;
  let accounts: Awaited<ReturnType<typeof exported>>[];
  let file: string;
  let keyFile: string;

  // Two keys for all tests: making one is slow on purpose.
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stint-offline-key-'));
    for (const name of ['one.key', 'other.key']) {
      const { stdout } = await capture(['vault', 'offline-key', 'make', '--out', join(folder, name), '--json'], { stdin: passphrase });
      made.push(JSON.parse(stdout) as Made);
      keys.push(await readFile(join(folder, name), 'utf8'));
    }
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  beforeEach(async () => {
    file = join(here.folder, 'contoso.json');
    keyFile = join(here.folder, 'offline.key');
    await writeFile(keyFile, keys[0] ?? '');
    const publicKey = made[0]?.publicKey ?? '';
    accounts = [
      await exported(publicKey, 71, 'ws-17', [
        { certainty: 'CONFIRMED', password: 'right-17' },
        { certainty: 'CANDIDATE', password: 'perhaps-17' },
        { certainty: 'FORMER', password: 'former-17' },
      ]),
      await exported(publicKey, 72, 'ws-18', [{ certainty: 'CONFIRMED', password: 'right-18' }]),
      await exported(publicKey, 73, 'ws-19', [{ certainty: 'CONFIRMED', password: 'right-19' }]),
    ];
    here.gateway.on('TenantVault', () => ({ tenant: { id: tenantId, name: 'Contoso', vaultKey, offlineKey: publicKey } }));
    here.gateway.on('ExportVault', ({ variables }) => {
      const { after } = variables['input'] as { after: string | null };
      const page = after === null ? accounts.slice(0, 2) : accounts.slice(2);
      const pageInfo = { hasNextPage: after === null, endCursor: after === null ? 'two' : 'three' };
      return { exportVault: { __typename: 'VaultExport', accounts: page, offlineKey: publicKey, pageInfo } };
    });
  });

  const write = () => here.stint(['vault', 'export', tenantId, '--reason', 'Yearly drill', '--out', file]);
  /** As on a machine without network or profile. */
  const open = async (argv: string[] = [], surroundings: Surroundings = { stdin: `${passphrase}\n` }) => {
    await here.gateway.stop();
    return capture(['--config-dir', '/nonexistent', 'vault', 'open', file, '--key', keyFile, ...argv], surroundings);
  };
  const altered = async (change: (content: { accounts: Record<string, unknown>[] } & Record<string, unknown>) => void) => {
    const content = JSON.parse(await readFile(file, 'utf8')) as Parameters<typeof change>[0];
    change(content);
    await writeFile(file, JSON.stringify(content));
  };

  test('has all pages in one file for this person alone, and no password as it is', async () => {
    const { exitCode, stdout } = await write();
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/accounts +3\n/) });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const text = await readFile(file, 'utf8');
    expect(JSON.parse(text)).toEqual({
      ...{ format: 'stint-vault-export', version: 1, server: here.gateway.url, tenant: { id: tenantId, name: 'Contoso' } },
      ...{ exportedAt: expect.any(String), reason: 'Yearly drill', offlineKey: made[0]?.publicKey, accounts },
    });
    expect(text).not.toMatch(/right-|perhaps-/);
    expect(here.sent('ExportVault').map(({ after }) => after)).toEqual([null, 'two']);
  });

  test('is not made where there is a file already: nothing is asked of the server', async () => {
    await writeFile(file, 'mine');
    expect(await write()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('already') });
    expect(here.gateway.calls).toEqual([]);
    expect(await readFile(file, 'utf8')).toBe('mine');
  });

  test('is refused where the server refuses it, or where the key changed between two pages; no file is left', async () => {
    here.gateway.on('ExportVault', () => ({ exportVault: { __typename: 'OfflineKeyMissing', message: 'Make one first.' } }));
    expect(await write()).toMatchObject({ exitCode: 1, stderr: 'stint: Make one first.\n' });
    here.gateway.on('ExportVault', ({ variables }) => {
      const { after } = variables['input'] as { after: string | null };
      const pageInfo = { hasNextPage: true, endCursor: 'two' };
      return { exportVault: { __typename: 'VaultExport', accounts, offlineKey: made[after === null ? 0 : 1]?.publicKey, pageInfo } };
    });
    expect(await write()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('changed meanwhile') });
    await expect(stat(file)).rejects.toThrow();
  });

  test('opens without server, network or profile', async () => {
    await write();
    const { exitCode, stdout, stderr } = await open();
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('SHA-256') });
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^Contoso, exported 20.* from http/),
      '',
      'COMPUTER  ACCOUNT      PASSWORD    HOW SURE   READ BACK',
      'ws-17     stint-admin  right-17    confirmed  2026-11-24 01:00:05Z',
      'ws-17     stint-admin  perhaps-17  candidate  2026-11-24 01:00:05Z',
      'ws-18     stint-admin  right-18    confirmed  2026-11-24 01:00:05Z',
      'ws-19     stint-admin  right-19    confirmed  2026-11-24 01:00:05Z',
      '',
    ]);
    expect(stderr).not.toContain('right-');
  });

  test('opens for one computer, with former passwords, spelled, and for machines', async () => {
    await write();
    const { stdout } = await open(['--account', 'WS-17', '--history', '--phonetic']);
    expect(stdout).toContain('former-17');
    expect(stdout).not.toContain('-18');
    expect(stdout).toContain('ws-17, confirmed, spelled:\n  romeo, india, golf, hotel, tango, hyphen\n  one, seven\n');
    const json = JSON.parse((await open(['--account', anId(72), '--json'])).stdout) as object;
    expect(json).toMatchObject({ accounts: [{ accountId: anId(72), passwords: [{ certainty: 'CONFIRMED', password: 'right-18' }] }] });
    expect(await open(['--account', 'ws-20'])).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining('ws-20') });
  });

  test('does not open with a wrong passphrase', async () => {
    await write();
    for (const surroundings of [{ stdin: 'correct horse batterx' }, { typed: ['correct horse batterx'] }])
      expect(await open([], surroundings)).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: expect.stringContaining('passphrase is wrong'),
      });
  });

  test('does not open with another key: that is told before anybody types a passphrase', async () => {
    await write();
    await writeFile(keyFile, keys[1] ?? '');
    expect(await open([], { typed: [] })).toMatchObject({
      ...{ exitCode: 1, stdout: '' },
      stderr: expect.stringContaining(made[1]?.fingerprint ?? '?'),
    });
    // A file that lies about whose private half it holds does not open at all.
    const lying = { ...(JSON.parse(keys[1] ?? '') as object), publicKey: made[0]?.publicKey };
    await writeFile(keyFile, JSON.stringify(lying));
    expect(await open()).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('its file was altered') });
  });

  test.each<[string, (first: Record<string, unknown>, second: Record<string, unknown>) => void]>([
    ['a ciphertext was altered', (first) => (first['ciphertext'] = `${String(first['ciphertext']).slice(0, -2)}AA`)],
    [
      'two accounts were exchanged',
      (first, second) => ([first['accountId'], second['accountId']] = [second['accountId'], first['accountId']]),
    ],
    ['two names were exchanged', (first, second) => ([first['hostName'], second['hostName']] = [second['hostName'], first['hostName']])],
    ['an account was renamed', (first) => (first['name'] = 'root')],
  ])('shows nothing when %s, except what is asked for and whole', async (_, change) => {
    await write();
    await altered((content) => change(content.accounts[0] ?? {}, content.accounts[1] ?? {}));
    const refused = { exitCode: 1, stdout: '', stderr: expect.stringContaining('altered') };
    expect(await open()).toMatchObject(refused);
    expect(await open(['--account', anId(71)])).toMatchObject(refused);
    expect(await open(['--account', 'ws-19'])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('right-19') });
  });

  test('shows nothing when it is said to be of another tenant', async () => {
    await write();
    await altered((content) => (content['tenant'] = { id: anId(2), name: 'Fabrikam' }));
    expect(await open()).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('3 of 3 do not open') });
  });

  test.each<[string, () => Promise<void>, string]>([
    ['cut short', async () => writeFile(file, (await readFile(file, 'utf8')).slice(0, -100)), 'cut short'],
    ['something else', () => writeFile(file, '{"a":1}'), 'no export'],
    ['of a newer Stint', () => altered((content) => (content['version'] = 2)), 'newer Stint'],
    ['not what an export looks like', () => altered(({ accounts: [first = {}] }) => (first['enc'] = 1)), 'accounts.0.enc'],
  ])('that is %s is told apart', async (_, spoil, told) => {
    await write();
    await spoil();
    expect(await open()).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining(told) });
  });

  test('does not open with a file that is no offline key, or not there', async () => {
    await write();
    await writeFile(keyFile, '{}');
    expect(await open()).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('no offline key') });
    keyFile = join(here.folder, 'missing');
    expect(await open()).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('no such file') });
  });
});
