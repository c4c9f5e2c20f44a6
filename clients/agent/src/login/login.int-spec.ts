import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { LinuxDriver } from '../accounts/linux.driver.ts';
import { agentState } from '../state/agent-state.ts';
import { startAgentUnderTest } from '../testing/agent-under-test.ts';
import { aDesiredAccount, MemoryControlPlane } from '../testing/memory.control-plane.ts';
import { createPrivateMachine, describeWithRealTools, type PrivateMachine } from '../testing/private-machine.ts';
import { Terminal } from '../testing/terminal-process.ts';

describeWithRealTools('a login at the terminal', () => {
  let machine: PrivateMachine;
  let server: MemoryControlPlane;
  let agent: { close(): Promise<void> };
  const id = newId();

  const state = async () => (await new LinuxDriver({ root: machine.root }).read())[0]?.state;
  const started = () =>
    eventually(() => {
      const [loginId] = [...server.logins.keys()];
      expect(loginId).toBeDefined();
      return loginId!;
    });
  const saw = (terminal: Terminal, text: string | RegExp) => eventually(() => expect(terminal.stderr).toMatch(text));
  const isReported = (wanted: object) => eventually(() => expect(server.reported(id)).toContainEqual(expect.objectContaining(wanted)));

  beforeEach(async () => {
    machine = createPrivateMachine();
    server = new MemoryControlPlane();
    agent = await startAgentUnderTest(machine, server);
  });
  afterEach(async () => {
    await agent.close();
    machine.remove();
  });

  test('by QR: shows the code, the number and the time; told what happened as one line of JSON', async () => {
    const terminal = new Terminal(machine, 'login', '--no-session');
    const loginId = await started();
    await saw(terminal, /█/);
    await saw(terminal, `open https://stint.example/l/${loginId}`);
    await saw(terminal, /number 42\. Time left: [12]:\d\d/);
    server.approve(loginId, aDesiredAccount({ id }));
    expect(await terminal.exitCode).toBe(0);
    expect(terminal.result()).toEqual({
      state: 'ACTIVE',
      account: 'jit-anna',
      uid: expect.any(Number),
      accountId: id,
      grantId: `grant-of-${id}`,
      loginRequestId: loginId,
      passwordVerified: true,
      secondsLeft: expect.any(Number),
    });
    expect(await state()).toBe('ENABLED');
    await isReported({ state: 'ACTIVE' });
    const logoff = new Terminal(machine, 'logoff', 'jit-anna');
    expect(await logoff.exitCode).toBe(0);
    expect(await state()).toBe('DISABLED');
    await isReported({ state: 'DISABLED', endReason: 'LOGGED_OFF' });
  });

  test('the session is the account`s, on a private root in a namespace; its end ends the access', async () => {
    const terminal = new Terminal(machine, 'login');
    server.approve(await started(), aDesiredAccount({ id }));
    await saw(terminal, /no real account exists/);
    terminal.type('echo "I am $(id -un) $USER"\n');
    await eventually(() => expect(terminal.stdout).toContain('I am jit-anna jit-anna'));
    expect(await state()).toBe('ENABLED');
    terminal.type('exit\n');
    expect(await terminal.exitCode).toBe(0);
    expect(terminal.stderr).toContain('The access has ended (LOGGED_OFF).');
    expect(await state()).toBe('DISABLED');
    await isReported({ state: 'DISABLED', endReason: 'LOGGED_OFF' });
  });

  test('a terminal that is killed: its shell dies or is ended, the access ends', async () => {
    const terminal = new Terminal(machine, 'login');
    server.approve(await started(), aDesiredAccount({ id }));
    await saw(terminal, /no real account exists/);
    terminal.process.kill('SIGKILL');
    terminal.process.stdin!.end();
    await isReported({ state: 'DISABLED', endReason: 'LOGGED_OFF' });
    expect(await state()).toBe('DISABLED');
  });

  test('access that ends from outside ends the session', async () => {
    const terminal = new Terminal(machine, 'login');
    server.approve(await started(), aDesiredAccount({ id }));
    await saw(terminal, /no real account exists/);
    server.want(aDesiredAccount({ id, state: 'DISABLED' }));
    expect(await terminal.exitCode).toBe(0);
    expect(terminal.stderr).toContain('The access has ended (REVOKED).');
  });

  test('Ctrl-C while waiting cancels at the server', async () => {
    const terminal = new Terminal(machine, 'login', '--no-session');
    const loginId = await started();
    await saw(terminal, /Time left/);
    terminal.process.kill('SIGINT');
    expect(await terminal.exitCode).toBe(130);
    expect(terminal.result()).toMatchObject({ state: 'CANCELLED' });
    expect(server.logins.get(loginId)?.state).toBe('EXPIRED');
  });

  test('a terminal that vanishes while waiting is cancelled too; approved at the same moment, the access ends at once', async () => {
    const first = new Terminal(machine, 'login', '--no-session');
    const loginId = await started();
    await saw(first, /Time left/);
    first.process.kill('SIGKILL');
    await eventually(() => expect(server.logins.get(loginId)?.state).toBe('EXPIRED'));

    server.logins.clear();
    const second = new Terminal(machine, 'login', '--no-session');
    const next = await started();
    await saw(second, /Time left/);
    server.logins.get(next)!.state = 'APPROVED';
    second.process.kill('SIGKILL');
    await second.exitCode;
    server.want(aDesiredAccount({ id, loginRequestId: next }));
    await isReported({ state: 'ACTIVE' });
    await isReported({ state: 'DISABLED', endReason: 'LOGGED_OFF' });
  });

  test('a login that waits for other people lives as long as the server says, over a restart too', async () => {
    const terminal = new Terminal(machine, 'login', '--no-session');
    const loginId = await started();
    await saw(terminal, /Time left/);
    const expiresAtMs = Date.now() + 3_600_000;
    Object.assign(server.logins.get(loginId)!, { state: 'AWAITING_APPROVAL', expiresAtMs });
    const kept = () =>
      agentState.parse(JSON.parse(readFileSync(join(machine.stateFolder, 'state.json'), 'utf8'))).logins[loginId]?.expiresAtMs;
    await eventually(() => expect(kept()).toBe(expiresAtMs));
    await agent.close();
    agent = await startAgentUnderTest(machine, server);
    expect(kept()).toBe(expiresAtMs);
    server.approve(loginId, aDesiredAccount({ id }));
    expect(await terminal.exitCode).toBe(0);
  });

  test('denied and expired are told', async () => {
    for (const outcome of ['DENIED', 'EXPIRED'] as const) {
      server.logins.clear();
      const terminal = new Terminal(machine, 'login', '--no-session');
      server.logins.get(await started())!.state = outcome;
      expect(await terminal.exitCode).toBe(1);
      expect(terminal.result()).toMatchObject({ state: outcome, message: expect.stringMatching(/denied|in time/) });
    }
  });

  test('by code: a refusal is told, the next code may be typed', async () => {
    server.codes.push({ accepted: false, message: 'Wait for the next code.', retryAt: null }, { accepted: true });
    const terminal = new Terminal(machine, 'login', '--method', 'totp', '--no-session');
    const loginId = await started();
    terminal.type('anna@example.com\n000000\n');
    await saw(terminal, 'Wait for the next code.');
    terminal.type('anna@example.com\n123456\n');
    await saw(terminal, 'The code was right.');
    server.approve(loginId, aDesiredAccount({ id }));
    expect(await terminal.exitCode).toBe(0);
    expect(terminal.result()).toMatchObject({ state: 'ACTIVE', account: 'jit-anna' });
  });

  test('by push: the address is asked for, and the number to type on the phone is shown', async () => {
    const terminal = new Terminal(machine, 'login', '--method', 'push', '--no-session');
    terminal.type('anna@example.com\n');
    const loginId = await started();
    expect(server.logins.get(loginId)).toMatchObject({ method: 'PUSH', email: 'anna@example.com' });
    await saw(terminal, /its phone asks now\.\nType on your phone the number 42\. Time left: [12]:\d\d/);
    expect(terminal.stderr).not.toMatch(/█|Your phone must show/);
    server.approve(loginId, aDesiredAccount({ id }));
    expect(await terminal.exitCode).toBe(0);
    expect(terminal.result()).toMatchObject({ state: 'ACTIVE', account: 'jit-anna' });
  });

  test('by code with --email: one try, and its refusal as JSON', async () => {
    server.codes.push({ accepted: false, message: 'Too many wrong codes.', retryAt: '2026-11-23T13:00:00Z' });
    const terminal = new Terminal(machine, 'login', '--method', 'totp', '--email', 'anna@example.com', '--no-session');
    terminal.type('000000\n');
    expect(await terminal.exitCode).toBe(1);
    expect(terminal.result()).toEqual({ state: 'REFUSED', message: 'Too many wrong codes.', retryAt: '2026-11-23T13:00:00Z' });
  });

  test('an agent that is restarted while the terminal waits takes the login up again', async () => {
    const terminal = new Terminal(machine, 'login', '--no-session');
    const loginId = await started();
    await saw(terminal, /Time left/);
    await agent.close();
    agent = await startAgentUnderTest(machine, server);
    server.approve(loginId, aDesiredAccount({ id }));
    expect(await terminal.exitCode).toBe(0);
    expect(terminal.result()).toMatchObject({ state: 'ACTIVE', account: 'jit-anna' });
  });

  test('an account that cannot be made is told in the tool`s words', async () => {
    const terminal = new Terminal(machine, 'login', '--no-session');
    server.approve(await started(), aDesiredAccount({ id, name: 'Not A Name' }));
    expect(await terminal.exitCode).toBe(1);
    expect(terminal.result()).toMatchObject({ state: 'FAILED', message: expect.stringContaining('cannot be an account name') });
  });

  test('without the server, and without an agent, the terminal says so', async () => {
    server.reachable = false;
    const terminal = new Terminal(machine, 'login', '--no-session');
    expect(await terminal.exitCode).toBe(1);
    expect(terminal.result()).toMatchObject({ state: 'FAILED', message: expect.stringContaining('cannot be reached') });
    await agent.close();
    const alone = new Terminal(machine, 'login', '--no-session');
    expect(await alone.exitCode).toBe(1);
    expect(alone.stderr).toContain('No agent runs');
  });
});
