import { eventually, PtyTerminal } from '@stint/testing';
import { toString as qrText } from 'qrcode';
import { ready, sh, stored, type Scenario } from './pam-computer.ts';
import { refusals } from './pam-refusals.ts';

/** The QR code of a login as it must be in the terminal, line by line. */
async function showsQr(terminal: PtyTerminal, login: string): Promise<boolean> {
  const picture = await qrText(`https://stint.example/l/${login}`, { type: 'utf8', errorCorrectionLevel: 'L' });
  return terminal.shown.includes(picture.trimEnd());
}

// Its names, whether it carries the agent's mark, what sudo gives, its audit id, whose the terminal is.
const who = 'echo "$(id -un) $(id -ru) ${STINT_LOGIN:+marked} $(sudo -n id -un) $(cat /proc/self/loginuid) $(stat -c %U "$(tty)" || true)"';

const waysIn: Record<string, Scenario> = {
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
  'files over SSH': async (m) => {
    const terminal = m.sftp();
    const login = await m.login();
    await terminal.sees(ready);
    const account = m.approve(login, 'jit-files');
    terminal.type('');
    await terminal.sees('sftp> ');
    terminal.type('pwd');
    await terminal.sees(/working directory: \S+/);
    const folder = /working directory: (\S+)/.exec(terminal.shown)?.[1];
    terminal.type('bye');
    return { code: await terminal.exit(), folder, reason: await m.over(account) };
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
};

/** What people do at the terminals of a computer, and what they and the system then see. In this order: one that was prepared for offline logins stays so. */
export const scenarios: Record<string, Scenario> = {
  ...waysIn,
  ...refusals,
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
