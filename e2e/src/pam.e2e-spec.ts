import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { computerFolders } from '@stint/embedded';
import { eventually, freePort, PtyTerminal } from '@stint/testing';
import { Stint } from './stint.ts';

const agent = join(import.meta.dirname, '..', '..', 'clients', 'agent');
const obstacle = execFileSync(join(agent, 'pam/test/obstacle.sh'), { encoding: 'utf8' }).trim();
if (obstacle !== '') process.stderr.write(`Skipped, SSH login by PAM against the whole of Stint: ${obstacle}\n`);

// What an administrator does on a computer that is enrolled, then the agent and sshd as their units would start them.
const boot = [
  'set -e',
  'mkdir -p /var/lib/stint-agent',
  'mount --bind "$1" /var/lib/stint-agent',
  'dpkg -i "$2" >/dev/null',
  'ssh-keygen -A >/dev/null',
  '/usr/sbin/sshd -p "$3" -o ListenAddress=127.0.0.1',
  'shift 3',
  '"$@"',
  'exit $?',
].join('\n');

(obstacle === '' ? describe : describe.skip)('over SSH, with the whole of Stint', () => {
  let stint: Stint;
  let computer: ChildProcess;
  let port: number;
  let state: string;

  beforeAll(async () => {
    stint = await Stint.start({ processes: false });
    await stint.killComputer();
    state = computerFolders(stint.installation.directory).state;
    port = await freePort();
    const [build, scratch] = [stint.installation.directory.at('pam'), stint.installation.directory.at('scratch')];
    execFileSync('make', ['-C', join(agent, 'pam'), `BUILD=${build}`, 'deb'], { stdio: 'ignore' });
    mkdirSync(scratch);
    const [deb = ''] = globSync(join(build, '*.deb'));
    const run = [
      process.execPath,
      '--conditions=@stint/source',
      '--disable-warning=ExperimentalWarning',
      join(agent, 'src/main.ts'),
      'run',
    ];
    computer = spawn(join(agent, 'pam/test/private-copies.sh'), [scratch, 'sh', '-c', boot, 'sh', state, deb, String(port), ...run], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive', LOG_LEVEL: 'error' },
    });
    await eventually(() => {
      if (computer.exitCode !== null) throw new Error('The computer did not start.');
      expect(existsSync(join(state, 'pam.sock'))).toBe(true);
    });
  });
  afterAll(async () => {
    computer.kill('SIGKILL');
    await stint.stop();
  });

  const ssh = () =>
    new PtyTerminal(`ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -p ${port} stint@127.0.0.1`);
  const address = async (terminal: PtyTerminal) => {
    await terminal.sees('then press Enter.');
    return /or open (\S+)/.exec(terminal.shown)?.[1] ?? '';
  };

  test('scanned, approved by passkey, in; logged off, and everybody knows', async () => {
    const terminal = ssh();
    const link = await address(terminal);
    const shown = await stint.phone.scan(link);
    expect(shown).toMatchObject({ state: 'PENDING', tenantName: 'Contoso Dental' });
    expect(terminal.shown).toContain(`Your phone must show the number ${shown.shownNumber}.`);
    const grantId = await stint.phone.approve(link, shown, 'Printer');
    terminal.type('');
    await terminal.sees('$ ');
    expect(await terminal.run('echo "$(id -un) $(sudo -n id -un)"')).toBe('jit-anna root');
    await eventually(async () => expect(await stint.grant(grantId)).toMatchObject({ state: 'ACTIVE' }));
    terminal.type('exit');
    await terminal.exit();
    await eventually(async () => expect(await stint.grant(grantId)).toMatchObject({ state: 'ENDED', endReason: 'LOGGED_OFF' }));
    await stint.drained();
    const { verification, actions } = await stint.audit();
    expect(verification).toMatchObject({ intact: true });
    expect(actions).toEqual(expect.arrayContaining(['login.approved', 'grant.activated', 'grant.ended']));
  });
});
