import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { comment } from '../accounts/account-name.domain.ts';
import { ShadowTools } from '../accounts/shadow-tools.ts';
import { runInNamespace } from '../accounts/tool-runner.ts';
import { createPrivateMachine, describeWithRealTools, type PrivateMachine } from '../testing/private-machine.ts';
import type { SeenLapsAccount } from './laps-driver.ts';
import { LinuxLapsDriver } from './linux.laps-driver.ts';

const id = newId();
const account = { id, name: 'stint-admin', uid: null };
let machine: PrivateMachine;
let driver: LinuxLapsDriver;
beforeEach(() => {
  machine = createPrivateMachine();
  driver = new LinuxLapsDriver(new ShadowTools({ root: machine.root }));
});
afterEach(() => machine.remove());

const see = (enabled = true, ref: { id: string; name: string; uid: number | null } = account) => driver.see(ref, enabled);
const members = () => [machine.line('group', 'sudo'), machine.line('group', 'wheel')].flatMap((line) => line?.[3]?.split(',') ?? []);
const ours = (seen: SeenLapsAccount) => {
  if (seen.is !== 'OURS') throw new Error(`It is ${seen.is}.`);
  return seen;
};
/** An account of somebody else. */
const person = (name: string, uid = 1500) => {
  machine.edit('passwd', (text) => `${text}${name}:x:${uid}:${uid}:Ben Ort:/home/${name}:/bin/bash\n`);
  machine.edit('shadow', (text) => `${text}${name}:$6$abc$def:19000:0:99999:7:::\n`);
  machine.edit('group', (text) => `${text}${name}:x:${uid}:\n`.replace(/^(sudo|wheel):(.*)$/m, `$1:$2${name}`));
};

describeWithRealTools('a break-glass account of our own', () => {
  test('is made unusable, gets its password, and is usable only when arranged', async () => {
    expect(await see()).toEqual({ is: 'ABSENT' });
    await driver.make(account);
    expect(ours(await see())).toMatchObject({ inOrder: false });
    await driver.setPassword('stint-admin', 'Correct-horse-1');
    expect(members()).not.toContain('stint-admin');
    expect(machine.line('shadow', 'stint-admin')?.[7]).toBe('1');
    const before = ours(await see());
    await driver.arrange(account, true);
    const after = ours(await see());
    expect(after).toEqual({ ...before, inOrder: true });
    expect(members()).toContain('stint-admin');
    expect(machine.line('shadow', 'stint-admin')?.[7]).toBe('');
    expect(await driver.verifyPassword('stint-admin', 'Correct-horse-1')).toBe(true);
    expect(await driver.verifyPassword('stint-admin', 'correct-horse-1')).toBe(false);
  });

  test('kept locked it keeps its password, in no group that makes an administrator', async () => {
    await driver.make(account);
    await driver.setPassword('stint-admin', 'Correct-horse-1');
    await driver.arrange(account, true);
    const before = ours(await see());
    await driver.arrange(account, false);
    expect(ours(await see(false))).toEqual(before);
    expect(machine.line('shadow', 'stint-admin')?.[1]).toMatch(/^!\$/);
    expect(members()).not.toContain('stint-admin');
    expect(await driver.verifyPassword('stint-admin', 'Correct-horse-1')).toBe(true);
    await driver.setPassword('stint-admin', 'Correct-horse-2');
    expect(machine.line('shadow', 'stint-admin')?.[7]).toBe('1');
    await driver.arrange(account, false);
    expect(ours(await see(false)).inOrder).toBe(true);
    await driver.arrange(account, true);
    expect(ours(await see()).inOrder).toBe(true);
  });

  test('the same password set by somebody else shows', async () => {
    await driver.make(account);
    await driver.setPassword('stint-admin', 'Correct-horse-1');
    const before = ours(await see());
    await driver.setPassword('stint-admin', 'Correct-horse-1');
    expect(ours(await see()).hashDigest).not.toBe(before.hashDigest);
  });

  test('without its mark it is known by name and number together', async () => {
    await driver.make(account);
    const { uid } = ours(await see());
    machine.edit('passwd', (text) => text.replace(`stint-laps=${id}`, ''));
    expect((await see()).is).toBe('FOREIGN');
    expect((await see(true, { ...account, uid: uid + 1 })).is).toBe('FOREIGN');
    expect(ours(await see(true, { ...account, uid }))).toMatchObject({ inOrder: false });
    await driver.setPassword('stint-admin', 'Correct-horse-1');
    await driver.arrange({ ...account, uid }, true);
    expect(ours(await see()).inOrder).toBe(true);
  });

  test('of an earlier enrolment is ours, and gets the new mark', async () => {
    await driver.make({ ...account, id: newId() });
    await driver.setPassword('stint-admin', 'Correct-horse-1');
    expect(ours(await see())).toMatchObject({ inOrder: false });
    await driver.arrange(account, true);
    expect(machine.line('passwd', 'stint-admin')?.[4]).toContain(`stint-laps=${id}`);
  });
});

describeWithRealTools('an account that was there before', () => {
  test('is told of with all that may break, and not touched', async () => {
    person('backup-user');
    const home = join(machine.root, 'home/backup-user');
    const put = (path: string, text: string | Buffer) => {
      mkdirSync(join(machine.root, path, '..'), { recursive: true });
      writeFileSync(join(machine.root, path), text);
    };
    put('etc/cron.d/nightly', '5 3 * * * backup-user /usr/bin/true\n');
    put('etc/cron.d/other', '5 3 * * * root echo backup-user\n');
    put('var/spool/cron/crontabs/backup-user', '@daily true\n');
    put('etc/systemd/system/sync.service', '[Service]\nUser=backup-user\n');
    put('etc/systemd/system/else.service', '[Service]\nUser=backup-user2\n');
    put('etc/sudoers.d/backup', 'backup-user ALL=(ALL) NOPASSWD: ALL\n');
    put('home/backup-user/.config/systemd/user/own.timer', '');
    put('home/backup-user/.ssh/authorized_keys', '# a comment\nssh-ed25519 AAAA one\n');
    const lastLogOn = Date.UTC(2026, 0, 2, 3, 4, 5) / 1000;
    const size = process.arch === 'arm64' ? 296 : 292;
    const lastlog = Buffer.alloc(size * 1501);
    lastlog.writeUInt32LE(lastLogOn, 1500 * size);
    put('var/log/lastlog', lastlog);
    const files = () => ['passwd', 'shadow', 'group'].map((file) => machine.line(file, 'backup-user'));
    const before = files();
    const seen = await see(true, { ...account, name: 'backup-user' });
    expect(seen).toEqual({
      is: 'FOREIGN',
      finding: {
        uid: 1500,
        lastLogOnAt: '2026-01-02T03:04:05.000Z',
        groups: ['backup-user', machine.line('group', 'sudo') ? 'sudo' : 'wheel'],
        uses: [
          'timetable /var/spool/cron/crontabs/backup-user',
          'timetable /etc/cron.d/nightly',
          'service sync.service',
          'its own service own.timer',
          '1 SSH key that opens it',
          'rule of sudo in /etc/sudoers.d/backup',
        ],
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect(files()).toEqual(before);
    // The owner of the home may put anything there.
    symlinkSync('/etc/shadow', join(home, '.ssh/authorized_keys2'));
  });

  test('its digest changes with what it is, not with what runs', async () => {
    person('backup-user');
    const digest = async () => {
      const seen = await see(true, { ...account, name: 'backup-user' });
      return seen.is === 'FOREIGN' ? seen.finding.digest : null;
    };
    const first = await digest();
    mkdirSync(join(machine.root, 'etc/cron.d'), { recursive: true });
    writeFileSync(join(machine.root, 'etc/cron.d/nightly'), '5 3 * * * backup-user true\n');
    expect(await digest()).toBe(first);
    machine.edit('passwd', (text) => text.replace('/home/backup-user:/bin/bash', '/home/backup-user:/bin/sh'));
    expect(await digest()).not.toBe(first);
  });

  test('taken over it is ours; its name, groups and password stay until they are set', async () => {
    person('backup-user');
    const ref = { ...account, name: 'backup-user' };
    const before = machine.line('shadow', 'backup-user');
    await driver.takeOver(ref);
    expect(machine.line('passwd', 'backup-user')?.[4]).toBe(`Ben Ort,,,,stint-laps=${id}`);
    expect(machine.line('shadow', 'backup-user')).toEqual(before);
    expect((await see(true, ref)).is).toBe('OURS');
  });

  test('root keeps working when it is kept locked: only its password is', async () => {
    const ref = { ...account, name: 'root' };
    await driver.takeOver(ref);
    await driver.setPassword('root', 'Correct-horse-1');
    await driver.arrange(ref, true);
    expect(ours(await see(true, ref)).inOrder).toBe(true);
    await driver.arrange(ref, false);
    expect(machine.line('shadow', 'root')?.[1]).toMatch(/^!\$/);
    expect(machine.line('shadow', 'root')?.[7]).toBe('');
    expect(ours(await see(false, ref)).inOrder).toBe(true);
  });
});

describeWithRealTools('what must not be touched', () => {
  test.each<[string, string, object | string, string | null]>([
    ['root by default', 'root', {}, 'LAPS4LINUX keeps the password of root'],
    ['the one that it names', 'stint-admin', { 'password-change-user': 'stint-admin' }, 'LAPS4LINUX keeps the password of stint-admin'],
    ['another one', 'stint-admin', { 'password-change-user': 'other' }, null],
    ['perhaps, where its file is broken', 'stint-admin', '{', 'LAPS4LINUX may keep the password of stint-admin'],
  ])('LAPS4LINUX: %s', async (_, name, settings, problem) => {
    writeFileSync(join(machine.root, 'etc/laps-runner.json'), typeof settings === 'string' ? settings : JSON.stringify(settings));
    const seen = await see(true, { ...account, name });
    expect(seen).toEqual(problem === null ? { is: 'ABSENT' } : { is: 'REFUSED', problem: expect.stringContaining(problem) });
  });

  test('an account for just-in-time logins', async () => {
    await new ShadowTools({ root: machine.root }).add('stint-admin', comment('Anna', newId()));
    expect(await see()).toEqual({ is: 'REFUSED', problem: expect.stringContaining('just-in-time') });
  });

  test('a name that cannot be one', async () => {
    await expect(see(true, { ...account, name: 'a:b\nroot' })).rejects.toThrow('cannot be an account name');
  });

  test('a name that the system refuses as taken, though it is in none of its files', async () => {
    const run: typeof runInNamespace = (tool, args, input) =>
      tool === 'useradd' ? Promise.resolve({ code: 9, stdout: '', stderr: '' }) : runInNamespace(tool, args, input);
    const blocked = new LinuxLapsDriver(new ShadowTools({ root: machine.root, run }));
    await expect(blocked.make(account)).rejects.toThrow('is taken on this computer by an account of another kind');
  });
});
