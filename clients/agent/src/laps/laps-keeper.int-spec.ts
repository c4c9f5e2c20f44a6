import { rmSync, statSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { generateHpkeKeyPair, generatePassword, type HpkeKeyPair } from '@stint/crypto';
import { createLog } from '@stint/host';
import { NetworkError } from '@stint/sdk';
import { ShadowTools } from '../accounts/shadow-tools.ts';
import { runInNamespace, type RunTool } from '../accounts/tool-runner.ts';
import { linuxClock } from '../deadline/device-clock.ts';
import { makePrivateFolder } from '../state/durable-file.ts';
import { MovableClock } from '../testing/agent-under-test.ts';
import { MemoryVault } from '../testing/memory-vault.ts';
import { createPrivateMachine, describeWithRealTools, type PrivateMachine } from '../testing/private-machine.ts';
import { LapsJournal } from './laps-journal.ts';
import { LapsKeeper } from './laps-keeper.ts';
import { LinuxLapsDriver } from './linux.laps-driver.ts';

let machine: PrivateMachine;
let vault: MemoryVault;
let keys: HpkeKeyPair;
beforeEach(async () => {
  machine = createPrivateMachine();
  makePrivateFolder(machine.stateFolder);
  vault = await MemoryVault.make();
  keys = await generateHpkeKeyPair();
});
afterEach(() => machine.remove());

/** The keeper of an agent that has just started. */
function started(run: RunTool = runInNamespace, clock = linuxClock): LapsKeeper {
  const journal = new LapsJournal(machine.stateFolder, keys);
  const driver = new LinuxLapsDriver(new ShadowTools({ root: machine.root, run }));
  const generate = () => generatePassword(24);
  return new LapsKeeper({ server: vault, driver, journal, clock, log: createLog('agent', 'silent'), generatePassword: generate });
}
const opens = (password: string | undefined, name = 'stint-admin') =>
  new LinuxLapsDriver(new ShadowTools({ root: machine.root })).verifyPassword(name, password ?? '');
const journalFile = () => join(machine.stateFolder, 'laps.json');
const states = () => vault.versions.map(({ state }) => state);
const somebodySets = (password: string) => new ShadowTools({ root: machine.root }).setPassword('stint-admin', password);

describeWithRealTools('keeping a break-glass account', () => {
  test('the first password: escrowed, set, confirmed; the account is usable, and the vault is asked no more', async () => {
    const keeper = started();
    expect(await keeper.run()).toBe(true);
    expect(states()).toEqual(['CURRENT']);
    expect(await opens((await vault.revealed())[0])).toBe(true);
    expect(machine.line('shadow', 'stint-admin')?.[7]).toBe('');
    const before = machine.line('shadow', 'stint-admin');
    expect(await keeper.run()).toBe(true);
    expect(await started().run()).toBe(true);
    expect(machine.line('shadow', 'stint-admin')).toEqual(before);
    expect(vault.reports).toEqual([]);
  });

  test('the journal holds no password, and only root can read it', async () => {
    await started().run();
    const text = readFileSync(journalFile(), 'utf8');
    expect(text).not.toContain((await vault.revealed())[0]);
    expect(statSync(journalFile()).mode & 0o777).toBe(0o600);
  });

  test('a change on demand; the one before is former', async () => {
    const keeper = started();
    await keeper.run();
    const [first] = await vault.revealed();
    vault.want({ rotate: true });
    await keeper.run();
    const [second] = await vault.revealed();
    expect(states()).toEqual(['FORMER', 'CURRENT']);
    expect([await opens(first), await opens(second)]).toEqual([false, true]);
  });

  test('what somebody else changed is told once, and changed', async () => {
    const keeper = started();
    await keeper.run();
    await somebodySets('Theirs-1234567890');
    vault.revision++;
    await keeper.run();
    expect(vault.reports).toMatchObject([{ incident: 'TAMPERED', versionId: vault.versions[0]?.id }]);
    expect(await opens((await vault.revealed())[0])).toBe(true);
    // A deleted account, too.
    machine.edit('passwd', (text) => text.replace(/^stint-admin:.*\n/m, ''));
    machine.edit('shadow', (text) => text.replace(/^stint-admin:.*\n/m, ''));
    vault.revision++;
    await keeper.run();
    expect(vault.reports).toMatchObject([{ incident: 'TAMPERED' }, { incident: 'TAMPERED', versionId: vault.versions[1]?.id }]);
    expect(await opens((await vault.revealed())[0])).toBe(true);
  });

  test('a computer that was set back to a snapshot is told, its password shown again, and changed', async () => {
    await started().run();
    const snapshot = ['passwd', 'shadow', 'group'].map((file) => [file, readFileSync(join(machine.root, 'etc', file), 'utf8')] as const);
    const journal = readFileSync(journalFile(), 'utf8');
    vault.want({ rotate: true });
    await started().run();
    for (const [file, text] of snapshot) machine.edit(file, () => text);
    writeFileSync(journalFile(), journal);
    await started().run();
    expect(vault.reports).toMatchObject([{ incident: 'ROLLED_BACK', versionId: vault.versions[0]?.id }]);
    expect(states()).toEqual(['FORMER', 'FORMER', 'CURRENT']);
    expect(await opens((await vault.revealed())[0])).toBe(true);
  });

  test('without its journal (a reinstalled agent) it changes the password at once', async () => {
    await started().run();
    rmSync(journalFile());
    await started().run();
    expect(vault.reports).toMatchObject([{ incident: 'ROLLED_BACK', versionId: null }]);
    expect(states()).toEqual(['FORMER', 'CURRENT']);
    expect(await opens((await vault.revealed())[0])).toBe(true);
  });

  test('an unreadable journal is set aside', async () => {
    await started().run();
    writeFileSync(journalFile(), '{');
    await started().run();
    expect(statSync(`${journalFile()}.unreadable`).isFile()).toBe(true);
    expect(await opens((await vault.revealed())[0])).toBe(true);
  });

  test('usable or kept locked, as the settings say, put in order again when somebody changed it', async () => {
    const keeper = started();
    await keeper.run();
    const locked = () => machine.line('shadow', 'stint-admin')?.[1]?.startsWith('!');
    vault.want({ enabled: false });
    await keeper.run();
    expect(locked()).toBe(true);
    vault.want({ rotate: true });
    await keeper.run();
    expect(locked()).toBe(true);
    expect(await opens((await vault.revealed())[0])).toBe(true);
    vault.want({ enabled: true });
    await keeper.run();
    expect(locked()).toBe(false);
    machine.edit('group', (text) => text.replace(/^(sudo|wheel):(.*)stint-admin$/m, '$1:$2'));
    vault.revision++;
    await keeper.run();
    expect(machine.line('group', 'sudo')?.[3] ?? machine.line('group', 'wheel')?.[3]).toContain('stint-admin');
    expect(vault.reports).toEqual([]);
  });

  test('an account that is not ours is told of, and nothing else; after a yes to just that it is ours', async () => {
    machine.edit('passwd', (text) => `${text}stint-admin:x:1500:100:Somebody:/home/stint-admin:/bin/bash\n`);
    machine.edit('shadow', (text) => `${text}stint-admin:$6$abc$def:19000:0:99999:7:::\n`);
    const files = () => ['passwd', 'shadow', 'group'].map((file) => machine.line(file, 'stint-admin'));
    const before = files();
    const keeper = started();
    await keeper.run();
    vault.revision++;
    await keeper.run();
    const finding = vault.reports[0]?.finding;
    expect(vault.reports).toHaveLength(1);
    expect(finding).toMatchObject({ uid: 1500, groups: [expect.any(String)] });
    expect([files(), vault.versions]).toEqual([before, []]);
    vault.want({ takeOver: '0'.repeat(64) });
    await keeper.run();
    expect(files()).toEqual(before);
    vault.want({ takeOver: finding?.digest ?? null });
    await keeper.run();
    expect(states()).toEqual(['CURRENT']);
    expect(await opens((await vault.revealed())[0])).toBe(true);
    expect(machine.line('passwd', 'stint-admin')?.[4]).toBe(`Somebody,,,,stint-laps=${vault.account.id}`);
  });

  test('a domain account is told as what it is: not kept yet', async () => {
    vault.want({ kind: 'DOMAIN' });
    expect(await started().run()).toBe(true);
    expect(vault.reports).toMatchObject([{ problem: expect.stringContaining('domain accounts') }]);
    expect(vault.versions).toEqual([]);
  });

  test('what the system refuses is told in its words, once; the same password is tried again, and after an hour a new one', async () => {
    const clock = new MovableClock();
    let refuses = true;
    const tools: RunTool = (tool, args, input) =>
      refuses && tool === 'chpasswd' ? Promise.resolve({ code: 1, stdout: '', stderr: 'pam says no' }) : runInNamespace(tool, args, input);
    const keeper = started(tools, clock);
    for (let time = 0; time < 2; time++) expect(await keeper.run()).toBe(false);
    expect(vault.reports).toMatchObject([{ problem: 'chpasswd ended with code 1: pam says no' }]);
    expect(states()).toEqual(['PENDING']);
    clock.wallShiftMs = clock.bootShiftMs = 3_600_000;
    expect(await keeper.run()).toBe(false);
    expect(states()).toEqual(['CANDIDATE', 'PENDING']);
    refuses = false;
    expect(await keeper.run()).toBe(true);
    expect(states()).toEqual(['FORMER', 'CURRENT']);
    expect(vault.reports).toHaveLength(1);
    expect(await opens((await vault.revealed())[0])).toBe(true);
  });

  test('without the vault nothing is changed', async () => {
    await started().run();
    const before = machine.line('shadow', 'stint-admin');
    vault.want({ rotate: true });
    vault.escrow = () => Promise.reject(new NetworkError('The server cannot be reached.'));
    await expect(started().run()).rejects.toThrow('cannot be reached');
    expect(machine.line('shadow', 'stint-admin')).toEqual(before);
  });

  test('the vault wants another policy while a password is open: the next one follows it', async () => {
    const run = vault.confirm.bind(vault);
    vault.confirm = () => Promise.reject(new NetworkError('The server cannot be reached.'));
    await expect(started().run()).rejects.toThrow();
    vault.confirm = run;
    await somebodySets('Theirs-1234567890');
    vault.want({ policy: { ...vault.account.policy, length: 30 } });
    await started().run();
    expect(states()).toEqual(['FORMER', 'CURRENT']);
  });
});
