import { eventually, PtyTerminal } from '@stint/testing';
import { findProcess } from '../processes/process-ref.ts';
import { ready, sh, startAgent, stored, workerPassword, type PamComputer, type Scenario } from './pam-computer.ts';

/** People with accounts of their own, by SSH, su and at the console. */
async function otherAccounts(m: PamComputer): Promise<Record<string, unknown>> {
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
}

/** Ends that nobody logged off for, and all that must not let anybody in. */
export const refusals: Record<string, Scenario> = {
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
  'other accounts': otherAccounts,
  'no agent': async (m) => {
    await m.agent?.close();
    m.agent = undefined;
    const ssh = m.ssh();
    await ssh.sees('(Enter) ');
    ssh.type('');
    const su = m.worker('su - stint');
    const console = new PtyTerminal('login stint');
    const [sshCode, suCode, consoleCode] = [await ssh.exit(), await su.exit(), await console.exit()];
    const others = await otherAccounts(m);
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
  'too many at once': async (m) => {
    // Ten of one service wait; the eleventh is told, another service is not affected, and what is over makes room.
    const waiting = Array.from({ length: 10 }, () => m.worker('su - stint'));
    for (const terminal of waiting) await terminal.sees(ready);
    const eleventh = m.worker('su - stint');
    const refused = [await eleventh.exit(), eleventh.shown.includes('Too many people are logging in here right now.')];
    const ssh = m.ssh();
    await ssh.sees(ready);
    for (const terminal of [ssh, ...waiting]) terminal.process.kill('SIGKILL');
    await eventually(() => {
      if ([...m.server.logins.values()].some(({ state }) => state === 'PENDING')) throw new Error('not cancelled');
    });
    const next = m.worker('su - stint');
    await next.sees(ready);
    next.process.kill('SIGKILL');
    m.seen();
    return { refused };
  },
};
