import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { generatePassword } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { createPrivateMachine, describeWithRealTools, type PrivateMachine } from '../testing/private-machine.ts';
import type { EnableOrder } from './account-driver.ts';
import { LinuxDriver } from './linux.driver.ts';
import { createPrivateRoot } from './private-root.ts';
import { clearStaleLocks } from './stale-locks.ts';
import { findTool, runDirectly, runInNamespace, type RunTool } from './tool-runner.ts';

describeWithRealTools('the real account tools on a private root', () => {
  let machine: PrivateMachine;
  let driver: LinuxDriver;
  const anOrder = (change: Partial<EnableOrder> = {}): EnableOrder => ({
    accountId: newId(),
    name: 'jit-anna',
    displayName: 'Anna Berg',
    endsAtMs: Date.now() + 3_600_000,
    password: generatePassword(24),
    ...change,
  });
  const ref = (accountId: string) => ({ accountId, name: null, uid: null });

  beforeEach(() => {
    machine = createPrivateMachine();
    driver = new LinuxDriver({ root: machine.root });
  });
  afterEach(() => machine.remove());

  test('the private copy holds the system`s accounts and not one password hash', () => {
    const real = readFileSync('/etc/passwd', 'utf8').split('\n').filter(Boolean).length;
    const shadow = readFileSync(join(machine.root, 'etc/shadow'), 'utf8').trim().split('\n');
    expect(shadow.length).toBeGreaterThanOrEqual(real - 1);
    expect(shadow.every((line) => line.split(':')[1] === '*')).toBe(true);
    expect(statSync(join(machine.root, 'etc/shadow')).mode & 0o777).toBe(0o600);
    expect(() => createPrivateRoot('/usr')).toThrow(/not empty/);
    expect(() => new LinuxDriver({ root: '/' })).toThrow(/not a private root/);
  });

  test('an account from its making to its deletion', async () => {
    const order = anOrder();
    const enabled = await driver.enable(order);
    expect(enabled).toEqual({ name: 'jit-anna', uid: expect.any(Number), passwordVerified: true });
    expect(await driver.read()).toEqual([{ accountId: order.accountId, name: 'jit-anna', uid: enabled.uid, state: 'ENABLED' }]);
    expect(machine.line('passwd', 'jit-anna')?.[4]).toBe(`Anna Berg,,,,stint=${order.accountId}`);
    expect(machine.line('group', 'sudo')?.[3] ?? machine.line('group', 'wheel')?.[3]).toContain('jit-anna');
    expect(readFileSync(join(machine.root, `etc/sudoers.d/stint-${order.accountId}`), 'utf8')).toContain(
      'jit-anna ALL=(ALL:ALL) NOPASSWD: ALL',
    );
    expect(Number(machine.line('shadow', 'jit-anna')?.[7])).toBe(Math.floor(order.endsAtMs / 86_400_000) + 1);
    expect(await driver.verifyPassword('jit-anna', order.password)).toBe(true);
    expect(await driver.verifyPassword('jit-anna', `${order.password}x`)).toBe(false);

    await driver.disable(ref(order.accountId));
    await driver.disable(ref(order.accountId));
    expect(await driver.read()).toMatchObject([{ state: 'DISABLED' }]);
    expect(machine.line('shadow', 'jit-anna')?.[1]).toMatch(/^!/);
    expect(machine.line('shadow', 'jit-anna')?.[7]).toBe('1');
    expect(machine.line('group', 'sudo')?.[3] ?? machine.line('group', 'wheel')?.[3]).not.toContain('jit-anna');
    expect(existsSync(join(machine.root, `etc/sudoers.d/stint-${order.accountId}`))).toBe(false);
    expect(await driver.verifyPassword('jit-anna', order.password)).toBe(false);

    const again = anOrder({ accountId: order.accountId });
    await driver.enable(again);
    expect(await driver.verifyPassword('jit-anna', order.password)).toBe(false);
    expect(await driver.verifyPassword('jit-anna', again.password)).toBe(true);

    await driver.remove(ref(order.accountId));
    await driver.remove(ref(order.accountId));
    expect(await driver.read()).toEqual([]);
    expect(machine.line('shadow', 'jit-anna')).toBeUndefined();
  });

  test('the system`s own crypt(3) says the same about the password', async () => {
    const order = anOrder();
    await driver.enable(order);
    const { code } = await runInNamespace(
      'perl',
      ['-e', 'chomp(my $h=<STDIN>); chomp(my $p=<STDIN>); exit(crypt($p,$h) eq $h ? 0 : 1)'],
      `${machine.line('shadow', 'jit-anna')?.[1]}\n${order.password}\n`,
    );
    expect(code).toBe(0);
  });

  test('a name that somebody else has is never taken over', async () => {
    machine.edit('passwd', (text) => `${text}jit-anna:x:4000:100:Anna the human:/home/anna:/bin/bash\n`);
    machine.edit('shadow', (text) => `${text}jit-anna:$6$human:20000:0:99999:7:::\n`);
    expect((await driver.enable(anOrder())).name).toBe('jit-anna-2');
    expect((await driver.enable(anOrder())).name).toBe('jit-anna-3');
    expect(machine.line('shadow', 'jit-anna')?.[1]).toBe('$6$human');
  });

  test('a name of 32 characters gets its suffix within 32 characters', async () => {
    const name = 'j'.repeat(32);
    await driver.enable(anOrder({ name }));
    expect((await driver.enable(anOrder({ name }))).name).toBe(`${'j'.repeat(30)}-2`);
  });

  test.each(['root; id', '-n', '', 'Jit', 'a:b', '../etc'])('%j is refused before any tool runs', async (name) => {
    const ran: string[] = [];
    const watched = new LinuxDriver({ root: machine.root, run: (tool) => (ran.push(tool), Promise.reject(new Error('ran'))) });
    await expect(watched.enable(anOrder({ name }))).rejects.toThrow(/cannot be an account name/);
    expect(ran).toEqual([]);
  });

  test('a mark that was taken away does not save the account, a foreign account of that name is left alone', async () => {
    const { accountId } = anOrder();
    const { name, uid } = await driver.enable(anOrder({ accountId }));
    // Made unreadable first, then taken away: both leave name and number.
    machine.edit('passwd', (text) => text.replace(`,,,,stint=${accountId}`, ',,,,stint=x'));
    expect(await driver.read([{ accountId, name, uid }])).toMatchObject([{ accountId, state: 'ENABLED' }]);
    machine.edit('passwd', (text) => text.replace(',,,,stint=x', ''));
    expect(await driver.read()).toEqual([]);
    expect(await driver.read([{ accountId, name, uid: uid + 1 }])).toEqual([]);
    expect(await driver.read([{ accountId, name, uid }])).toMatchObject([{ accountId, state: 'ENABLED' }]);
    await driver.disable({ accountId, name, uid: uid + 1 });
    expect(await driver.read([{ accountId, name, uid }])).toMatchObject([{ state: 'PARTIAL' }]);
    await driver.disable({ accountId, name, uid });
    expect(await driver.read([{ accountId, name, uid }])).toMatchObject([{ state: 'DISABLED' }]);
  });

  test('an account that joined a group as good as root leaves it', async () => {
    const { accountId } = anOrder();
    await driver.enable(anOrder({ accountId }));
    await runInNamespace('usermod', ['--prefix', machine.root, '-a', '-G', 'disk,adm', 'jit-anna']);
    await driver.disable(ref(accountId));
    expect(machine.line('group', 'disk')?.[3]).not.toContain('jit-anna');
    expect(machine.line('group', 'adm')?.[3]).not.toContain('jit-anna');
  });

  test('useradd killed between passwd and shadow: never usable in between, whole afterwards', async () => {
    const { accountId } = anOrder();
    await driver.enable(anOrder({ accountId }));
    machine.edit('shadow', (text) => text.replace(/^jit-anna:.*\n/m, ''));
    expect(await driver.read()).toMatchObject([{ state: 'PARTIAL' }]);
    const calls: string[] = [];
    const run: RunTool = async (tool, args, input) => {
      const result = await runInNamespace(tool, args, input);
      if (tool === 'chpasswd') calls.push((await driver.read())[0]!.state);
      return result;
    };
    await new LinuxDriver({ root: machine.root, run }).enable(anOrder({ accountId }));
    expect(calls).toEqual(['PARTIAL']);
    expect(machine.line('shadow', 'jit-anna')?.[7]).not.toBe('1');
    machine.edit('shadow', (text) => text.replace(/^jit-anna:.*\n/m, ''));
    await driver.disable(ref(accountId));
    expect(await driver.read()).toMatchObject([{ state: 'DISABLED' }]);
  });

  test('no step before the last makes the account usable', async () => {
    const seen: string[] = [];
    const run: RunTool = async (tool, args, input) => {
      const result = await runInNamespace(tool, args, input);
      const [, hash = '!', , , , , , expire = ''] = machine.line('shadow', 'jit-anna') ?? [];
      seen.push(`${tool} ${/^[!*]/.test(hash) || expire === '1' ? 'off' : 'on'}`);
      return result;
    };
    await new LinuxDriver({ root: machine.root, run }).enable(anOrder());
    expect(seen.filter((step) => step.endsWith(' on'))).toEqual(['usermod on']);
    expect(seen.at(-1)).toBe('usermod on');
  });

  test('no password on a command line', async () => {
    const order = anOrder();
    const lines: string[] = [];
    const run: RunTool = (tool, args, input) => {
      lines.push([tool, ...args].join(' '));
      return runInNamespace(tool, args, input);
    };
    await new LinuxDriver({ root: machine.root, run }).enable(order);
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.join('\n')).not.toContain(order.password);
  });

  test('a tool that fails is quoted, without the password', async () => {
    const order = anOrder();
    const run: RunTool = (tool, args, input) =>
      tool === 'chpasswd'
        ? Promise.resolve({ code: 1, stdout: '', stderr: `chpasswd: bad line ${input}` })
        : runInNamespace(tool, args, input);
    const failure = await new LinuxDriver({ root: machine.root, run }).enable(order).catch((error: Error) => error.message);
    expect(failure).toMatch(/chpasswd ended with code 1: chpasswd: bad line/);
    expect(failure).not.toContain(order.password);
  });

  test('locks that a power cut or a reused process id left behind do not block for ever; a living tool`s lock is respected', async () => {
    const old = new Date(Date.now() - 60_000);
    writeFileSync(join(machine.root, 'etc/passwd.lock'), '');
    utimesSync(join(machine.root, 'etc/passwd.lock'), old, old);
    const holder = spawn('sleep', ['30']);
    writeFileSync(join(machine.root, 'etc/group.lock'), `${holder.pid}\0`);
    utimesSync(join(machine.root, 'etc/group.lock'), old, old);
    const { accountId } = anOrder();
    await driver.enable(anOrder({ accountId }));

    const lock = join(machine.root, 'etc/passwd.lock');
    writeFileSync(lock, `${holder.pid}\0`);
    expect(clearStaleLocks(join(machine.root, 'etc'), Date.now())).toEqual([]);
    const ending = driver.disable(ref(accountId));
    holder.kill('SIGKILL');
    await ending;
    expect(await driver.read()).toMatchObject([{ state: 'DISABLED' }]);
  });

  test.each([1, 2, 3, 4, 5, 6, 8, 10])('tools killed after %i ms: the next try makes it whole, enabled and disabled', async (afterMs) => {
    const killed: RunTool = (tool, args, input) =>
      runDirectly('timeout', ['-s', 'KILL', String(afterMs / 1000), 'unshare', '-r', findTool(tool)!, ...args], input);
    const dying = new LinuxDriver({ root: machine.root, run: killed });
    const { accountId } = anOrder();
    for (const tool of ['useradd', 'usermod', 'chpasswd']) {
      const run: RunTool = (name, args, input) => (name === tool ? killed : runInNamespace)(name, args, input);
      await new LinuxDriver({ root: machine.root, run }).enable(anOrder({ accountId })).catch(() => undefined);
      await new LinuxDriver({ root: machine.root, run }).disable(ref(accountId)).catch(() => undefined);
    }
    await driver.disable(ref(accountId));
    expect((await driver.read()).map(({ state }) => state).filter((state) => state !== 'DISABLED')).toEqual([]);
    const order = anOrder({ accountId });
    expect(await driver.enable(order)).toMatchObject({ name: 'jit-anna', passwordVerified: true });
    expect(await driver.read()).toMatchObject([{ state: 'ENABLED' }]);
    await dying.disable(ref(accountId)).catch(() => undefined);
    await driver.disable(ref(accountId));
    expect(await driver.read()).toMatchObject([{ state: 'DISABLED' }]);
    await dying.remove(ref(accountId)).catch(() => undefined);
    await driver.remove(ref(accountId));
    expect(await driver.read()).toEqual([]);
  });
});
