import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { LinuxDriver } from '../accounts/linux.driver.ts';
import { findTool } from '../accounts/tool-runner.ts';
import { askAgent } from '../login/agent-call.ts';
import { findProcess } from '../processes/process-ref.ts';
import { MovableClock, startAgentUnderTest } from '../testing/agent-under-test.ts';
import { aDesiredAccount, aDesiredGrant, MemoryControlPlane } from '../testing/memory.control-plane.ts';
import { createPrivateMachine, describeWithRealTools, type PrivateMachine } from '../testing/private-machine.ts';
import { PtyTerminal, type Terminal } from '../testing/terminal-process.ts';

describeWithRealTools('sessions of grants, on real pseudo-terminals', () => {
  let machine: PrivateMachine;
  let server: MemoryControlPlane;
  let clock: MovableClock;
  let agent: { close(): Promise<void> };
  let terminals: Terminal[] = [];
  const id = newId();

  const state = async () => (await new LinuxDriver({ root: machine.root }).read())[0]?.state;
  const isReported = (wanted: object) => eventually(() => expect(server.reported(id)).toContainEqual(expect.objectContaining(wanted)));
  const saw = (terminal: Terminal, text: string | RegExp) => eventually(() => expect(terminal.stdout).toMatch(text));
  const reportsOf = (grantId: string) => server.reported(id).filter((report) => report.grantId === grantId);

  /** A technician logs in at a terminal of their own, for one more grant of the account. */
  async function logIn(grantId: string, change: Partial<Parameters<typeof aDesiredGrant>[0]> = {}): Promise<Terminal> {
    const before = new Set(server.logins.keys());
    const terminal = new PtyTerminal(machine, 'login');
    terminals.push(terminal);
    const loginRequestId = await eventually(() => {
      const login = [...server.logins.keys()].find((each) => !before.has(each));
      expect(login).toBeDefined();
      return login!;
    });
    server.logins.get(loginRequestId)!.state = 'APPROVED';
    const grants = server.accounts[0]?.grants ?? [];
    server.want(aDesiredAccount({ id, grants: [...grants, aDesiredGrant({ grantId, loginRequestId, ...change })] }));
    await saw(terminal, 'no real account exists');
    return terminal;
  }

  /** The terminal's shell runs a command; its output with the arithmetic done proves that it was the shell. */
  async function runs(terminal: Terminal, marker: number): Promise<void> {
    terminal.type(`echo is-$((${marker} + 1))\n`);
    await saw(terminal, `is-${marker + 1}`);
  }

  const withoutGrant = (grantId: string) =>
    server.want(...server.accounts.map((account) => ({ ...account, grants: account.grants.filter((grant) => grant.grantId !== grantId) })));

  beforeEach(async () => {
    machine = createPrivateMachine();
    server = new MemoryControlPlane();
    clock = new MovableClock();
    agent = await startAgentUnderTest(machine, server, { clock });
  });
  afterEach(async () => {
    for (const { process } of terminals) process.kill('SIGKILL');
    terminals = [];
    await agent.close();
    machine.remove();
  });

  test('two grants on one account: each ends alone with its own session, the account goes off with the last', async () => {
    const first = await logIn('first');
    await runs(first, 1000);
    first.type('sleep 300 & echo "pid=$!="\n');
    const sleeper = await eventually(() => Number(/pid=(\d+)=/.exec(first.stdout)![1]));
    const password = machine.line('shadow', 'jit-anna')?.[1];
    const second = await logIn('second');
    await runs(second, 2000);
    await isReported({ grantId: 'first', state: 'ACTIVE' });
    await isReported({ grantId: 'second', state: 'ACTIVE' });
    expect(machine.line('shadow', 'jit-anna')?.[1]).toBe(password);
    await runs(first, 3000);

    withoutGrant('first');
    expect(await first.exitCode).toBe(0);
    expect(first.stdout).toContain('The access has ended (REVOKED).');
    await isReported({ grantId: 'first', state: 'DISABLED', endReason: null });
    expect(findProcess(sleeper)).toBeNull();
    await runs(second, 4000);
    expect(await state()).toBe('ENABLED');
    expect(reportsOf('second').map((report) => report.state)).not.toContain('DISABLED');

    second.type('exit\n');
    expect(await second.exitCode).toBe(0);
    await isReported({ grantId: 'second', state: 'DISABLED', endReason: 'LOGGED_OFF' });
    expect(await state()).toBe('DISABLED');
  });

  test('log-off of one of two leaves the other; time over ends both', async () => {
    const first = await logIn('first');
    const second = await logIn('second', { sessionSeconds: 1200 });
    first.type('exit\n');
    expect(await first.exitCode).toBe(0);
    await isReported({ grantId: 'first', state: 'DISABLED', endReason: 'LOGGED_OFF' });
    await runs(second, 1000);
    expect(await state()).toBe('ENABLED');
    clock.bootShiftMs += 1_300_000;
    expect(await second.exitCode).toBe(0);
    await isReported({ grantId: 'second', state: 'DISABLED', endReason: 'EXPIRED' });
    expect(await state()).toBe('DISABLED');
  });

  test('a session is told of its end on its terminal; extended, it goes on and is told again', async () => {
    const terminal = await logIn('told', { sessionSeconds: 3600 });
    await isReported({ state: 'ACTIVE' });
    clock.bootShiftMs += 3_310_000;
    await saw(terminal, /Stint: the access of jit-anna ends in 5 minutes\. .*stint grant extend/);
    const [account] = server.accounts;
    const [grant] = account!.grants;
    const extended = { ...account!, grants: [{ ...grant!, sessionSeconds: 7200 }] };
    server.want(extended);
    await eventually(() => expect(readFileSync(join(machine.stateFolder, 'state.json'), 'utf8')).toContain('"sessionMs": 7200000'));
    clock.bootShiftMs += 2_000_000;
    await runs(terminal, 1000);
    expect(await state()).toBe('ENABLED');
    terminal.stdout = '';
    clock.bootShiftMs += 1_650_000;
    await saw(terminal, /ends in \d (minutes|seconds)/);
    clock.bootShiftMs += 400_000;
    await isReported({ state: 'DISABLED', endReason: 'EXPIRED' });
    expect(await terminal.exitCode).toBe(0);
  });

  test('a session ends after nobody typed for as long as the grant allows; typing and a jump of the clock do not end it', async () => {
    const terminal = await logIn('idle', { idleEndSeconds: 600 });
    await runs(terminal, 1000);
    terminal.type('tty; echo end-of-tty\n');
    const tty = await eventually(() => /(\/dev\/pts\/\d+)\s/.exec(terminal.stdout)![1]!);
    clock.bootShiftMs += 500_000;
    clock.wallShiftMs += 86_400_000;
    // The kernel moves the time of the last input in steps of 8 seconds.
    const before = statSync(tty).atimeMs;
    await eventually(() => {
      terminal.type('\n');
      expect(statSync(tty).atimeMs).not.toBe(before);
    });
    await eventually(async () => {
      const status = await askAgent(machine.stateFolder, { op: 'status' });
      expect(status).toMatchObject({ accounts: [{ idleSeconds: expect.any(Number) }] });
      expect(status.event === 'status' ? status.accounts[0]?.idleSeconds : null).toBeLessThan(100);
    });
    expect(await state()).toBe('ENABLED');
    // Once more where the shell read the last of the input only after the agent had looked: that counts as typing too.
    await eventually(async () => {
      clock.bootShiftMs += 610_000;
      await eventually(() => expect(reportsOf('idle')).toContainEqual(expect.objectContaining({ state: 'DISABLED', endReason: 'IDLE' })), {
        timeoutMs: 6_000,
      });
    });
    expect(await terminal.exitCode).toBe(0);
    expect(terminal.stdout).toContain('The access has ended (IDLE).');
  });

  test('what left its shell and its terminal ends with the grant all the same', async () => {
    const terminal = await logIn('first');
    await logIn('second');
    terminal.type('(setsid sh -c \'echo "pid=$$="; exec sleep 300\' &)\n');
    const sleeper = await eventually(() => Number(/pid=(\d+)=/.exec(terminal.stdout)![1]));
    withoutGrant('first');
    await isReported({ grantId: 'first', state: 'DISABLED' });
    expect(findProcess(sleeper)).toBeNull();
    expect(await state()).toBe('ENABLED');
  });
});

test('script(1) is there, or these tests prove nothing', () => expect(findTool('script')).not.toBeNull());
