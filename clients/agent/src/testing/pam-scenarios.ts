import { eventually, PtyTerminal } from '@stint/testing';
import { toString as qrText } from 'qrcode';
import { findProcess } from '../processes/process-ref.ts';
import { sh, startAgent, stored, workerPassword, type PamComputer } from './pam-computer.ts';

/** The QR code of a login as it must be in the terminal, line by line. */
async function showsQr(terminal: PtyTerminal, login: string): Promise<boolean> {
  const picture = await qrText(`https://stint.example/l/${login}`, { type: 'utf8', errorCorrectionLevel: 'L' });
  return terminal.shown.includes(picture.trimEnd());
}

// Its names, whether it carries the agent's mark, what sudo gives, its audit id, whose the terminal is.
const who = 'echo "$(id -un) $(id -ru) ${STINT_LOGIN:+marked} $(sudo -n id -un) $(cat /proc/self/loginuid) $(stat -c %U "$(tty)" || true)"';
const ready = 'then press Enter.';

/** What people do at the terminals of a computer, and what they and the system then see. */
type Scenario = (computer: PamComputer) => Promise<Record<string, unknown>>;

export const scenarios: Record<string, Scenario> = {
  'over SSH': async (m) => {
    const terminal = m.ssh();
    const login = await m.login();
    await terminal.sees(ready);
    const qr = await showsQr(terminal, login);
    const number = /Your phone must show the number 42/.test(terminal.shown);
    const account = m.approve(login, 'jit-ssh');
    await eventually(() => {
      if (m.server.reported(account).length === 0) throw new Error('not active');
    });
    terminal.type('');
    await terminal.sees('$ ');
    const identity = await terminal.run(who);
    const uid = sh('id -u jit-ssh').trim();
    const enabled = stored('jit-ssh');
    terminal.type('exit');
    await terminal.exit();
    return { qr, number, identity: identity.replaceAll(uid, 'UID'), enabled, reason: await m.over(account), disabled: stored('jit-ssh') };
  },
  'a command over SSH': async (m) => {
    const terminal = m.ssh("'id -un; exit 7'");
    const login = await m.login();
    await terminal.sees(ready);
    const account = m.approve(login, 'jit-command');
    terminal.type('');
    const code = await terminal.exit();
    return { code, identity: /^jit-command$/m.test(terminal.shown), reason: await m.over(account) };
  },
  'by su': async (m) => {
    const terminal = m.worker('su - stint');
    const login = await m.login();
    await terminal.sees(ready);
    const qr = await showsQr(terminal, login);
    terminal.type('');
    await terminal.sees('Waiting for the approval');
    const account = m.approve(login, 'jit-su');
    await terminal.sees('$ ');
    const identity = await terminal.run('echo "$(id -un) $(sudo -n id -un)"');
    terminal.type('exit');
    await terminal.exit();
    return { qr, identity, reason: await m.over(account), disabled: stored('jit-su') };
  },
  'by sudo': async (m) => {
    const terminal = m.worker('sudo -u stint -i');
    const login = await m.login();
    await terminal.sees(ready);
    const qr = await showsQr(terminal, login);
    const account = m.approve(login, 'jit-sudo');
    terminal.type('');
    await terminal.sees('$ ');
    const identity = await terminal.run('echo "$(id -un) $(sudo -n id -un)"');
    terminal.type('exit');
    await terminal.exit();
    const reason = await m.over(account);
    const again = m.worker('sudo -u stint -i');
    m.server.logins.get(await m.login())!.state = 'DENIED';
    await again.sees(ready);
    again.type('');
    const other = m.worker('sudo -n -u stint /bin/sh -c id');
    return { qr, identity, reason, again: await again.exit(), otherCommand: (await other.exit()) !== 0 && !other.shown.includes('uid=') };
  },
  'at the console': async (m) => {
    // login(1) gives up after so many seconds; an approval may take longer.
    sh("sed -i 's/^LOGIN_TIMEOUT.*/LOGIN_TIMEOUT 5/' /etc/login.defs");
    const began = performance.now();
    const terminal = new PtyTerminal('login');
    await terminal.sees('login: ');
    terminal.type('stint');
    const login = await m.login();
    await terminal.sees(ready);
    await eventually(() => {
      if (performance.now() < began + 5_500) throw new Error('not yet');
    });
    const qr = await showsQr(terminal, login);
    const account = m.approve(login, 'jit-console');
    terminal.type('');
    await terminal.sees('$ ');
    const identity = await terminal.run(who);
    const uid = sh('id -u jit-console').trim();
    terminal.type('exit');
    await terminal.exit();
    return { qr, identity: identity.replaceAll(uid, 'UID'), reason: await m.over(account), disabled: stored('jit-console') };
  },
  'by code': async (m) => {
    const terminal = m.ssh();
    const first = await m.login();
    await terminal.sees(ready);
    m.server.codes.push({ accepted: false, message: 'Wait for the next code.', retryAt: null }, { accepted: true });
    terminal.type('anna@example.com');
    const login = await m.login();
    await terminal.sees('Code from the authenticator app');
    terminal.type('618033');
    await terminal.sees(/Wait for the next code\.[^]*Code from the authenticator app/);
    terminal.type('271828');
    const account = m.approve(login, 'jit-code');
    await terminal.sees('$ ');
    const identity = await terminal.run('id -un');
    const everywhere = sh('cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null || true; cat /var/lib/stint-agent/state.json');
    terminal.type('exit');
    await terminal.exit();
    await m.over(account);
    return {
      left: m.server.logins.get(first)?.state,
      method: m.server.logins.get(login)?.method,
      identity,
      shown: ['618033', '271828'].some((code) => terminal.shown.includes(code) || everywhere.includes(code)),
    };
  },
  'denied and expired': async (m) => {
    const seen: Record<string, unknown> = {};
    for (const state of ['DENIED', 'EXPIRED'] as const) {
      const terminal = m.ssh();
      const login = await m.login();
      await terminal.sees(ready);
      m.server.logins.get(login)!.state = state;
      terminal.type('');
      await terminal.sees('(Enter) ');
      const before = m.logins;
      terminal.type('');
      seen[state] = [await terminal.exit(), /denied|in time/.exec(terminal.shown)?.[0], m.logins - before];
    }
    const su = m.worker('su - stint');
    m.server.logins.get(await m.login())!.state = 'DENIED';
    await su.sees(ready);
    su.type('');
    seen['su'] = [await su.exit(), su.shown.includes('The login was denied.')];
    return seen;
  },
  'the end of the grant': async (m) => {
    const terminal = m.ssh();
    const login = await m.login();
    await terminal.sees(ready);
    const account = m.approve(login, 'jit-short', { sessionSeconds: 4, warnSeconds: 0 });
    terminal.type('');
    await terminal.sees('$ ');
    terminal.type('sudo -n sh -c "exec sleep 300"');
    const code = await terminal.exit();
    const reason = await m.over(account);
    const left = sh('pgrep -U jit-short || true; pgrep -fx "sleep 300" || true').trim();
    return { thrownOut: code !== 0, reason, disabled: stored('jit-short'), left };
  },
  'whoever goes away': async (m) => {
    const waiting = m.ssh();
    const first = await m.login();
    await waiting.sees(ready);
    waiting.process.kill('SIGKILL');
    await eventually(() => {
      if (m.server.logins.get(first)?.state !== 'EXPIRED') throw new Error('not cancelled');
    });
    const approved = m.ssh();
    const second = await m.login();
    await approved.sees(ready);
    const account = m.approve(second, 'jit-gone');
    await eventually(() => {
      if (stored('jit-gone')?.locked !== false) throw new Error('not enabled');
    });
    approved.process.kill('SIGKILL');
    return { reason: await m.over(account), disabled: stored('jit-gone') };
  },
  'another`s approval': async (m) => {
    const first = m.ssh();
    const login = await m.login();
    await first.sees(ready);
    const second = m.ssh();
    const other = await m.login();
    await second.sees(ready);
    const account = m.approve(login, 'jit-first');
    first.type('');
    await first.sees('$ ');
    // The second connection has a request of its own; the approval of the first does nothing for it.
    second.type('');
    const waits = m.server.logins.get(other)?.state;
    m.server.logins.get(other)!.state = 'DENIED';
    await second.sees('(Enter) ');
    second.type('');
    const denied = await second.exit();
    // Somebody on the computer asks su for the account; a process of the entry account from nowhere does, too.
    const su = m.worker('su - jit-first -c id');
    await su.sees('Password: ');
    su.type('guess');
    const guessed = (await su.exit()) !== 0 && !su.shown.includes('uid=');
    const uid = Number(sh('id -u stint'));
    const stray = new PtyTerminal('su -l jit-first -c id', { uid });
    const strayCode = await stray.exit();
    const strayIn = stray.shown.includes('uid=') || stray.shown.includes('Password');
    const bare = new PtyTerminal('env STINT_ACCOUNT=jit-first /usr/lib/stint/stint-shell -c id', { uid });
    const bareIn = (await bare.exit()) === 0 || bare.shown.includes('uid=');
    // The very words of the module, from a process that was not approved; and from below the session, once more.
    const me = findProcess(process.pid)!;
    const words = [await m.raw(`open sshd ${me.pid} ${me.startTicks}`), await m.raw(`become su-l ${me.pid} ${me.startTicks} jit-first`)];
    const below = findProcess(Number(await first.run('echo $$')))!;
    words.push(await m.raw(`become su-l ${below.pid} ${below.startTicks} jit-first`));
    const sshdOfSession = sh(`ps -o ppid= -p ${sh(`ps -o ppid= -p ${below.pid}`).trim()}`).trim();
    for (let pid = Number(sshdOfSession); pid > 1; pid = Number(sh(`ps -o ppid= -p ${pid}`))) {
      const parent = findProcess(pid);
      if (parent) words.push(await m.raw(`open sshd ${parent.pid} ${parent.startTicks}`));
    }
    first.type('exit');
    await first.exit();
    await m.over(account);
    return { waits, denied, guessed, stray: [strayCode, strayIn], bareIn, words: [...new Set(words)], asked: words.length >= 5 };
  },
  'ways around': async (m) => {
    const before = m.logins;
    // Root may do anything, but a session without an approval is none of ours.
    const root = new PtyTerminal('su - stint');
    const rootCode = await root.exit();
    const shell = m.worker('su - stint -s /bin/sh -c id');
    await shell.sees(ready);
    m.server.logins.get(await m.login())!.state = 'DENIED';
    shell.type('');
    await shell.exit();
    const key = m.ssh('-o PreferredAuthentications=publickey,password');
    return {
      root: [rootCode, root.shown.includes('No access was approved for this session.')],
      shell: shell.shown.includes('uid='),
      key: [await key.exit(), key.shown.includes('Permission denied')],
      logins: m.logins - before,
    };
  },
  'other accounts': async (m) => {
    const before = m.logins;
    const terminal = m.ssh("'id -un'", 'worker');
    await terminal.sees(/password: $/i);
    terminal.type(workerPassword);
    const su = m.worker('su - worker -c "id -un"');
    await su.sees('Password: ');
    su.type(workerPassword);
    const console = new PtyTerminal('login');
    await console.sees('login: ');
    console.type('worker');
    await console.sees('Password: ');
    console.type(workerPassword);
    await console.sees('$ ');
    const identity = await console.run('id -un');
    console.type('exit');
    await console.exit();
    return {
      ssh: [await terminal.exit(), terminal.shown.includes('worker\n')],
      su: await su.exit(),
      console: identity,
      logins: m.logins - before,
    };
  },
  'no agent': async (m) => {
    await m.agent?.close();
    m.agent = undefined;
    const ssh = m.ssh();
    await ssh.sees('(Enter) ');
    ssh.type('');
    const su = m.worker('su - stint');
    const console = new PtyTerminal('login stint');
    const [sshCode, suCode, consoleCode] = [await ssh.exit(), await su.exit(), await console.exit()];
    const others = await scenarios['other accounts']!(m);
    m.agent = await startAgent(m.server);
    const told = [ssh, su, console].map(({ shown }) => shown.includes('The Stint agent of this computer does not answer'));
    return { in: [sshCode === 0, suCode === 0, console.shown.includes('$ ') || consoleCode === null], told, others };
  },
  'the server out of reach': async (m) => {
    m.server.reachable = false;
    const terminal = m.worker('su - stint');
    const code = await terminal.exit();
    m.server.reachable = true;
    return { in: code === 0, told: terminal.shown.includes('The server cannot be reached.') };
  },
  'offline, by code': async (m) => {
    const { accountId, code } = await m.prepareOffline('anna@example.com', 'jit-offline');
    m.server.reachable = false;
    const terminal = m.ssh();
    await terminal.sees(/offline login[^]*Email: $/);
    terminal.type('anna@example.com');
    await terminal.sees('Code from the authenticator app: ');
    terminal.type(code);
    await terminal.sees('Reason: ');
    terminal.type('printer is down');
    await terminal.sees('$ ');
    const identity = await terminal.run('id -un');
    m.server.reachable = true;
    terminal.type('exit');
    await terminal.exit();
    const reason = await m.over(accountId);
    return { identity, reason, told: m.server.offlineLogins.map((login) => login.reason), echoed: terminal.shown.includes(code) };
  },
};
