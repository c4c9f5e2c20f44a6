import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { LinuxDriver } from './accounts/linux.driver.ts';
import { runInNamespace, type RunTool } from './accounts/tool-runner.ts';
import type { DesiredGrant } from './desired-state/desired-account.ts';
import { MovableClock, startAgentUnderTest } from './testing/agent-under-test.ts';
import { aDesiredAccount, MemoryControlPlane } from './testing/memory.control-plane.ts';
import { createPrivateMachine, describeWithRealTools, type PrivateMachine } from './testing/private-machine.ts';

describeWithRealTools('the agent on a private machine', () => {
  let machine: PrivateMachine;
  let server: MemoryControlPlane;
  let clock: MovableClock;
  let agent: { close(): Promise<void> } | undefined;
  const id = newId();

  const start = async (options: { run?: RunTool } = {}) => {
    agent = await startAgentUnderTest(machine, server, { clock, ...options });
  };
  const stop = async () => {
    await agent?.close();
    agent = undefined;
  };
  const state = async () =>
    (await new LinuxDriver({ root: machine.root }).read([])).find((account) => account.accountId === id)?.state ?? 'ABSENT';
  const becomes = (wanted: string) => eventually(async () => expect(await state()).toBe(wanted));
  /** The server changes the grants of the account. */
  const change = (what: Partial<DesiredGrant>) => {
    const account = server.accounts[0]!;
    server.want({ ...account, grants: account.grants.map((grant) => ({ ...grant, ...what })) });
  };
  const isReported = (wanted: object) => eventually(() => expect(server.reported(id)).toContainEqual(expect.objectContaining(wanted)));

  beforeEach(() => {
    machine = createPrivateMachine();
    server = new MemoryControlPlane();
    clock = new MovableClock();
  });
  afterEach(async () => {
    await stop();
    machine.remove();
  });

  test('enabled, reported active, ended by the server, reported disabled, deleted', async () => {
    await start();
    server.want(aDesiredAccount({ id }));
    await becomes('ENABLED');
    await isReported({ state: 'ACTIVE', name: 'jit-anna', grantId: `grant-of-${id}` });
    server.want(aDesiredAccount({ id, state: 'DISABLED' }));
    await becomes('DISABLED');
    await isReported({ state: 'DISABLED', grantId: `grant-of-${id}`, endReason: null });
    server.want(aDesiredAccount({ id, state: 'ABSENT' }));
    await becomes('ABSENT');
    await isReported({ state: 'ABSENT' });
  });

  test('the password is as long as the server says, and opens the account', async () => {
    const passwords: string[] = [];
    const run: RunTool = (tool, args, input) => {
      if (tool === 'chpasswd' && input !== undefined) passwords.push(input.trimEnd().slice('jit-anna:'.length));
      return runInNamespace(tool, args, input);
    };
    await start({ run });
    const driver = new LinuxDriver({ root: machine.root });
    for (const passwordLength of [12, 127]) {
      server.want(aDesiredAccount({ id, passwordLength, grantId: `grant of ${passwordLength}` }));
      await becomes('ENABLED');
      expect(passwords.at(-1)).toHaveLength(passwordLength);
      expect(await driver.verifyPassword('jit-anna', passwords.at(-1) ?? '')).toBe(true);
      server.want(aDesiredAccount({ id, state: 'DISABLED' }));
      await becomes('DISABLED');
    }
  });

  test('out of reach of the server the session ends on time, and is reported when it is back', async () => {
    await start();
    server.want(aDesiredAccount({ id, sessionSeconds: 2 }));
    await becomes('ENABLED');
    await isReported({ state: 'ACTIVE' });
    server.reachable = false;
    const began = performance.now();
    await becomes('DISABLED');
    expect(performance.now() - began).toBeLessThan(3_500);
    expect(server.reported(id).map((report) => report.state)).not.toContain('DISABLED');
    server.reachable = true;
    await isReported({ state: 'DISABLED', endReason: 'EXPIRED', grantId: `grant-of-${id}` });
  });

  test('a session that ended while the agent was off is ended at its start, without the server', async () => {
    await start();
    server.want(aDesiredAccount({ id }));
    await becomes('ENABLED');
    await stop();
    server.reachable = false;
    clock.bootShiftMs += 3_600_000;
    await start();
    expect(await state()).toBe('DISABLED');
  });

  test('after a reboot the wall clock decides, and a clock set back gains nothing', async () => {
    await start();
    server.want(aDesiredAccount({ id }));
    await becomes('ENABLED');
    await isReported({ state: 'ACTIVE' });
    await stop();
    server.reachable = false;
    clock.rebooted = 1;
    clock.wallShiftMs = 600_000;
    await start();
    expect(await state()).toBe('ENABLED');
    await stop();
    clock.rebooted = 2;
    clock.wallShiftMs = -600_000;
    await start();
    expect(await state()).toBe('DISABLED');
  });

  test('a clock set back while the session runs extends nothing; the server`s end only shortens', async () => {
    await start();
    server.want(aDesiredAccount({ id, sessionSeconds: 600 }));
    await becomes('ENABLED');
    await isReported({ state: 'ACTIVE' });
    change({ expiresAt: Date.now() + 36_000_000 });
    clock.wallShiftMs = -7_200_000;
    clock.bootShiftMs = 599_000;
    await becomes('DISABLED');
    await isReported({ state: 'DISABLED', endReason: 'EXPIRED' });
  });

  test('the server shortens a running session', async () => {
    await start();
    server.want(aDesiredAccount({ id }));
    await becomes('ENABLED');
    change({ expiresAt: Date.now() + 1_000 });
    await becomes('DISABLED');
    await isReported({ state: 'DISABLED', endReason: 'EXPIRED' });
  });

  test('what must not be activated any more is not', async () => {
    await start();
    server.want(aDesiredAccount({ id, activateBy: Date.now() - 1 }));
    await isReported({ state: 'ABSENT', endReason: 'NOT_ACTIVATED', grantId: `grant-of-${id}` });
    expect(await state()).toBe('ABSENT');
  });

  test('a grant is activated once, also when the server has not heard of its end', async () => {
    await start();
    server.want(aDesiredAccount({ id, sessionSeconds: 1 }));
    await becomes('ENABLED');
    server.reachable = false;
    await becomes('DISABLED');
    await stop();
    await start();
    expect(await state()).toBe('DISABLED');
    server.reachable = true;
    server.want(aDesiredAccount({ id, grantId: 'another' }));
    await isReported({ state: 'ACTIVE', grantId: 'another' });
    expect(await state()).toBe('ENABLED');
    await isReported({ state: 'DISABLED', grantId: `grant-of-${id}`, endReason: 'EXPIRED' });
  });

  test('an account that cannot be made is reported with what the tool said, and not half left behind', async () => {
    const run: RunTool = (tool, args, input) =>
      tool === 'chpasswd' ? Promise.resolve({ code: 1, stdout: '', stderr: 'chpasswd: no space left' }) : runInNamespace(tool, args, input);
    await start({ run });
    server.want(aDesiredAccount({ id }));
    await isReported({ state: 'FAILED', detail: 'chpasswd ended with code 1: chpasswd: no space left' });
    expect(await state()).toBe('DISABLED');
  });

  test('an account that will not go off is told as still active, and tried until it does', async () => {
    let broken = true;
    const run: RunTool = (tool, args, input) =>
      broken && args.includes('-L')
        ? Promise.resolve({ code: 1, stdout: '', stderr: 'usermod: failure while writing' })
        : runInNamespace(tool, args, input);
    await start({ run });
    server.want(aDesiredAccount({ id }));
    await becomes('ENABLED');
    server.want(aDesiredAccount({ id, state: 'DISABLED' }));
    await isReported({ state: 'ACTIVE', detail: 'usermod ended with code 1: usermod: failure while writing' });
    expect(await state()).not.toBe('DISABLED');
    broken = false;
    await becomes('DISABLED');
    await isReported({ state: 'DISABLED' });
  });

  test('a report says under which revision it was seen, however late it is sent', async () => {
    await start();
    server.want(aDesiredAccount({ id, sessionSeconds: 1 }));
    await becomes('ENABLED');
    await isReported({ state: 'ACTIVE' });
    const acted = server.revision;
    server.reachable = false;
    await becomes('DISABLED');
    server.revision += 5;
    server.reachable = true;
    await isReported({ state: 'DISABLED', endReason: 'EXPIRED' });
    const underRevision = server.reportedUnder.filter(({ report }) => report.endReason === 'EXPIRED').map(({ revision }) => revision);
    expect(underRevision[0]).toBe(acted);
  });

  test('a report over which the server stumbles holds up neither the others nor what must end, and is told once it can be taken', async () => {
    const other = newId();
    await start();
    server.stumbling = id;
    server.want(aDesiredAccount({ id }), aDesiredAccount({ id: other, name: 'jit-bert' }));
    await eventually(() => expect(server.reported(other)).toContainEqual(expect.objectContaining({ state: 'ACTIVE' })));
    await becomes('ENABLED');
    server.want(aDesiredAccount({ id, state: 'DISABLED' }), aDesiredAccount({ id: other, name: 'jit-bert', state: 'DISABLED' }));
    await becomes('DISABLED');
    await eventually(() => expect(server.reported(other)).toContainEqual(expect.objectContaining({ state: 'DISABLED' })));
    expect(server.reported(id)).toEqual([]);
    server.stumbling = undefined;
    await isReported({ state: 'DISABLED' });
  });

  test('an account that someone unlocks by hand is locked again; one that loses its rights gets them back', async () => {
    await start();
    server.want(aDesiredAccount({ id }));
    await isReported({ state: 'ACTIVE' });
    await runInNamespace('usermod', ['--prefix', machine.root, '-G', '', 'jit-anna']);
    await becomes('ENABLED');
    server.want(aDesiredAccount({ id, state: 'DISABLED' }));
    await becomes('DISABLED');
    await isReported({ state: 'DISABLED' });
    await runInNamespace('usermod', ['--prefix', machine.root, '-U', '-e', '', 'jit-anna']);
    server.want(aDesiredAccount({ id, state: 'DISABLED' }));
    await becomes('DISABLED');
  });

  test('a memory that cannot be read: what is enabled and unaccounted for goes off', async () => {
    await start();
    server.want(aDesiredAccount({ id }));
    await becomes('ENABLED');
    await stop();
    server.reachable = false;
    writeFileSync(join(machine.stateFolder, 'state.json'), '{"version":1,');
    await start();
    expect(await state()).toBe('DISABLED');
  });

  test('on disk: for the owner alone, and no password', async () => {
    await start();
    server.want(aDesiredAccount({ id }));
    await becomes('ENABLED');
    expect(statSync(machine.stateFolder).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(machine.stateFolder))
      expect([file, statSync(join(machine.stateFolder, file)).mode & 0o777]).toEqual([file, 0o600]);
    expect(readFileSync(join(machine.stateFolder, 'state.json'), 'utf8')).not.toMatch(/password"|\$6\$/);
    await expect(startAgentUnderTest(machine, server)).rejects.toThrow(/already runs/);
  });
});
