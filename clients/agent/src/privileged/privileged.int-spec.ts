import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { LinuxDriver } from '../accounts/linux.driver.ts';
import { runInNamespace } from '../accounts/tool-runner.ts';
import { startAgentUnderTest } from '../testing/agent-under-test.ts';
import { aDesiredAccount, aDesiredGrant, MemoryControlPlane } from '../testing/memory.control-plane.ts';
import { createPrivateMachine, describeWithRealTools, type PrivateMachine } from '../testing/private-machine.ts';

const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIKTt5R3kZ0m9aXHq9zv0q1v1uJ0m9n7l0n4c5Y6a7b8c';

describeWithRealTools('privileged groups over a session', () => {
  let machine: PrivateMachine;
  let server: MemoryControlPlane;
  let agent: { close(): Promise<void> };
  let admins: string;
  const id = newId();

  const addTo = async (group: string, name: string) =>
    expect((await runInNamespace('usermod', ['--prefix', machine.root, '-a', '-G', group, name])).code).toBe(0);
  const members = (group: string) => machine.line('group', group)?.[3]?.split(',').filter(Boolean);
  const isReported = (wanted: object) => eventually(() => expect(server.reported(id)).toContainEqual(expect.objectContaining(wanted)));
  const ended = async () => {
    await isReported({ state: 'DISABLED' });
    return server.reported(id).find(({ state }) => state === 'DISABLED')?.privileged;
  };
  const rule = (name: string) => join(machine.root, 'etc/sudoers.d', name);

  beforeEach(async () => {
    machine = createPrivateMachine();
    server = new MemoryControlPlane();
    admins = machine.line('group', 'sudo') ? 'sudo' : 'wheel';
    // Listed by name although no such account exists any more: must break nothing, and is not news.
    machine.edit('group', (text) =>
      text.replace(new RegExp(`^(${admins}:.*)$`, 'm'), (line) => `${line}${line.endsWith(':') ? '' : ','}left-2019`),
    );
    writeFileSync(rule('old'), 'bo ALL=(ALL) ALL\n');
    agent = await startAgentUnderTest(machine, server);
  });
  afterEach(async () => {
    await agent.close();
    machine.remove();
  });

  test('nothing changed: nothing is told; Stint`s own account, its group and its drop-in are not news', async () => {
    server.want(aDesiredAccount({ id }));
    await isReported({ state: 'ACTIVE' });
    server.want(aDesiredAccount({ id, state: 'DISABLED' }));
    expect(await ended()).toEqual([]);
  });

  test('what changed is told with the end; without the setting nothing is undone', async () => {
    server.want(aDesiredAccount({ id }));
    await isReported({ state: 'ACTIVE' });
    await addTo(admins, 'daemon');
    writeFileSync(rule('mallory'), 'mallory ALL=(ALL) NOPASSWD: ALL\n');
    writeFileSync(rule('old'), 'bo ALL=(ALL) NOPASSWD: ALL\n');
    mkdirSync(join(machine.root, 'root/.ssh'), { recursive: true });
    writeFileSync(join(machine.root, 'root/.ssh/authorized_keys'), `# comment\nssh-ed25519 ${key} mallory@home\n`);
    machine.edit('passwd', (text) => `${text}toor:x:0:0::/root:/bin/sh\n`);
    server.want(aDesiredAccount({ id, state: 'DISABLED' }));
    expect(await ended()).toEqual([
      { groupName: "root's authorized_keys", added: [expect.stringMatching(/^SHA256:[\w+/]{43}$/)], removed: [] },
      { groupName: admins, added: ['daemon'], removed: [] },
      {
        groupName: 'sudoers',
        added: [expect.stringMatching(/^\/etc\/sudoers\.d\/mallory \([0-9a-f]{12}\)$/), expect.stringContaining('/etc/sudoers.d/old (')],
        removed: [expect.stringContaining('/etc/sudoers.d/old (')],
      },
      { groupName: 'uid 0', added: ['toor'], removed: [] },
    ]);
    expect(members(admins)).toContain('daemon');
  });

  test('with the setting new members are taken out again, also one that was only written into the file; the old ones and the rules stay', async () => {
    await addTo(admins, 'sys');
    server.want(aDesiredAccount({ id, removeNewPrivileged: true }));
    await isReported({ state: 'ACTIVE' });
    await addTo(admins, 'daemon');
    machine.edit('group', (text) => text.replace(/^disk:.*$/m, (line) => `${line}${line.endsWith(':') ? '' : ','}nobody-here`));
    writeFileSync(rule('mallory'), 'mallory ALL=(ALL) NOPASSWD: ALL\n');
    server.want(aDesiredAccount({ id, state: 'DISABLED', removeNewPrivileged: true }));
    expect((await ended())?.map(({ groupName, added }) => [groupName, added.length])).toEqual([
      ['disk', 1],
      [admins, 1],
      ['sudoers', 1],
    ]);
    expect(members(admins)).toEqual(expect.arrayContaining(['left-2019', 'sys']));
    expect(members(admins)).not.toContain('daemon');
    expect(members('disk')).not.toContain('nobody-here');
    expect(existsSync(rule('mallory'))).toBe(true);
  });

  test('a grant that ends while another runs is compared by itself', async () => {
    const grants = [aDesiredGrant({ grantId: 'first' }), aDesiredGrant({ grantId: 'second' })];
    server.want(aDesiredAccount({ id, grants: grants.slice(0, 1) }));
    await isReported({ state: 'ACTIVE', grantId: 'first' });
    await addTo(admins, 'daemon');
    server.want(aDesiredAccount({ id, grants }));
    await isReported({ state: 'ACTIVE', grantId: 'second' });
    server.want(aDesiredAccount({ id, grants: grants.slice(1) }));
    await isReported({ state: 'DISABLED', grantId: 'first', privileged: [{ groupName: admins, added: ['daemon'], removed: [] }] });
    server.want(aDesiredAccount({ id, state: 'DISABLED' }));
    await isReported({ state: 'DISABLED', grantId: 'second', privileged: [] });
  });
});

describeWithRealTools('accounts with Stint`s mark that belong to nobody', () => {
  let machine: PrivateMachine;
  let server: MemoryControlPlane;
  let agent: { close(): Promise<void> };
  const stray = newId();

  const makeStray = () =>
    new LinuxDriver({ root: machine.root }).enable({
      accountId: stray,
      name: 'jit-stray',
      displayName: 'From a backup',
      endsAtMs: Date.now() + 3_600_000,
      password: 'correct-horse-battery-staple',
    });
  const state = async () => (await new LinuxDriver({ root: machine.root }).read()).find(({ accountId }) => accountId === stray)?.state;

  beforeEach(async () => {
    machine = createPrivateMachine();
    server = new MemoryControlPlane();
  });
  afterEach(async () => {
    await agent.close();
    machine.remove();
  });

  test('found at start: disabled without the server, told once it is there, deleted only when it says so', async () => {
    await makeStray();
    server.reachable = false;
    agent = await startAgentUnderTest(machine, server);
    expect(await state()).toBe('DISABLED');
    server.reachable = true;
    server.want();
    await eventually(() => expect(server.strays).toEqual([[{ accountId: stray, name: 'jit-stray' }]]));
    server.want(aDesiredAccount({ id: stray, state: 'ABSENT' }));
    await eventually(async () => expect(await state()).toBeUndefined());
    server.want();
    await eventually(() => expect(server.strays.at(-1)).toEqual([]));
    expect(server.strays).toHaveLength(2);
  });

  test('one that appears while the agent runs is disabled and told; accounts that the server lists are none', async () => {
    agent = await startAgentUnderTest(machine, server);
    const listed = newId();
    server.want(aDesiredAccount({ id: listed }));
    await eventually(() => expect(server.reported(listed)).toContainEqual(expect.objectContaining({ state: 'ACTIVE' })));
    // The agent may be quicker than this.
    await makeStray().catch(() => undefined);
    server.want(aDesiredAccount({ id: listed }));
    await eventually(() => expect(server.strays).toEqual([[{ accountId: stray, name: 'jit-stray' }]]));
    expect(await state()).toBe('DISABLED');
  });
});
