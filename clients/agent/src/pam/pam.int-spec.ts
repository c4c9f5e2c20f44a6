import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const run = promisify(execFile);

const source = fileURLToPath(new URL('../../pam/', import.meta.url));
const reason = (await run(join(source, 'test/obstacle.sh'))).stdout.trim();
if (reason !== '') process.stderr.write(`Skipped, Linux login by PAM with a real sshd, su, sudo and login: ${reason}\n`);

const disabled = { locked: true, expired: true, admin: false };

(reason === '' ? describe : describe.skip)('Linux login by PAM, on a computer with the package installed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stint-pam-'));
  const untouched = ['/etc/passwd', '/etc/shadow', '/etc/pam.d/common-auth'].map((file) => readFileSync(file, 'utf8'));
  let seen: Record<string, unknown> = {};
  let logged = '';

  beforeAll(async () => {
    await run('make', ['-C', source, `BUILD=${join(folder, 'build')}`, 'deb']);
    const [deb = ''] = globSync(join(folder, 'build', '*.deb'));
    const program = fileURLToPath(new URL('../testing/pam-machine.ts', import.meta.url));
    const results = join(folder, 'seen.json');
    const scratch = join(folder, 'scratch');
    mkdirSync(scratch);
    writeFileSync(results, '{}');
    const node = [process.execPath, '--conditions=@stint/source', '--disable-warning=ExperimentalWarning', program, deb, results];
    const { stdout, stderr } = await run(join(source, 'test/private-copies.sh'), [scratch, ...node], {
      timeout: 280_000,
      maxBuffer: 1 << 26,
    });
    logged = stdout + stderr;
    seen = JSON.parse(readFileSync(results, 'utf8')) as Record<string, unknown>;
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each<[string, unknown]>([
    [
      'installed',
      { name: 'stint', home: '/usr/lib/stint', shell: '/usr/lib/stint/stint-shell', system: true, password: '!', lines: [1, 1, 1, 0, 0] },
    ],
    [
      'over SSH',
      {
        qr: true,
        number: true,
        identity: 'jit-ssh UID marked root UID jit-ssh',
        enabled: { locked: false, expired: false, admin: true },
        reason: 'LOGGED_OFF',
        disabled,
      },
    ],
    ['a command over SSH', { code: 7, identity: true, reason: 'LOGGED_OFF' }],
    ['files over SSH', { code: 0, folder: '/home/jit-files', reason: 'LOGGED_OFF' }],
    ['by su', { qr: true, identity: 'jit-su root', reason: 'LOGGED_OFF', disabled }],
    ['by sudo', { qr: true, identity: 'jit-sudo root', reason: 'LOGGED_OFF', again: 1, otherCommand: true }],
    ['at the console', { qr: true, identity: 'jit-console UID marked root UID jit-console', reason: 'LOGGED_OFF', disabled }],
    ['by code', { left: 'EXPIRED', method: 'TOTP', identity: 'jit-code', shown: false }],
    ['denied and expired', { DENIED: [255, 'denied', 0], EXPIRED: [255, 'in time', 0], su: [1, true] }],
    ['the end of the grant', { thrownOut: true, reason: 'EXPIRED', disabled, left: '' }],
    ['whoever goes away', { reason: 'LOGGED_OFF', disabled }],
    [
      'another`s approval',
      {
        waits: 'PENDING',
        denied: 255,
        guessed: true,
        stray: [1, false],
        bareIn: false,
        words: ['fail No access was approved for this session.'],
        asked: true,
      },
    ],
    ['ways around', { root: [1, true], shell: false, key: [255, true], logins: 1 }],
    ['other accounts', { ssh: [0, true], su: 0, console: 'worker', logins: 0 }],
    ['no agent', { in: [false, false, false], told: [true, true, true], others: { ssh: [0, true], su: 0, console: 'worker', logins: 0 } }],
    ['the server out of reach', { in: false, told: true }],
    ['too many at once', { refused: [1, true] }],
    ['offline, by code', { identity: 'jit-offline', reason: 'LOGGED_OFF', told: ['printer is down'], echoed: false }],
    ['removed', { pamAsBefore: true, account: '', files: [] }],
  ])('%s', (scenario, expected) => {
    expect(seen[scenario]).toEqual(expected);
  });

  test('no code that was typed is in any log', () => {
    expect(logged).toContain('Session opened through PAM.');
    expect(logged).not.toMatch(/618033|271828/);
  });

  test('the computer itself stayed as it was', () => {
    expect(['/etc/passwd', '/etc/shadow', '/etc/pam.d/common-auth'].map((file) => readFileSync(file, 'utf8'))).toEqual(untouched);
    expect(existsSync('/usr/lib/stint')).toBe(false);
  });
});
