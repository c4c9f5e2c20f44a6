import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { generateHpkeKeyPair, newTotpSeed, sealTo, totpCode, totpStep, type HpkeKeyPair } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { LinuxDriver } from '../accounts/linux.driver.ts';
import { offlineSecretAad, offlineSecretInfo } from '../offline/offline-checker.ts';
import type { PreparedAccess } from '../offline/offline-store.ts';
import { MovableClock, startAgentUnderTest, testDeviceId } from '../testing/agent-under-test.ts';
import { aDesiredAccount, MemoryControlPlane } from '../testing/memory.control-plane.ts';
import { createPrivateMachine, describeWithRealTools, type PrivateMachine } from '../testing/private-machine.ts';
import { Terminal } from '../testing/terminal-process.ts';

describeWithRealTools('a login without the server', () => {
  let machine: PrivateMachine;
  let server: MemoryControlPlane;
  let clock: MovableClock;
  let keys: HpkeKeyPair;
  let agent: { close(): Promise<void> } | undefined;
  let seed: Buffer;
  let used: number;
  const accountId = newId();
  const technicianId = newId();
  const email = 'anna@example.com';

  const start = async () => {
    agent = await startAgentUnderTest(machine, server, { clock, keys });
  };
  const restart = async () => {
    await agent?.close();
    await start();
  };
  const state = async () => (await new LinuxDriver({ root: machine.root }).read())[0]?.state ?? 'ABSENT';
  const step = () => totpStep(new Date(clock.read().wallMs));
  /** Sets the clock to the first second of a step, this one's or a later one's: what follows has all of it, however busy the machine. */
  const beginStep = (atLeast = 0): number => {
    const wallMs = clock.read().wallMs;
    const next = Math.max(atLeast, Math.ceil((wallMs - 1000) / 30_000));
    clock.wallShiftMs += Math.max(0, next * 30_000 + 1000 - wallMs);
    return step();
  };
  /** The code of the next step that was not used yet: one test logs in more often than the clock moves on. */
  const nextCode = () => {
    used = beginStep(used + 1);
    return totpCode(seed, used);
  };
  const tryCode = async (code: string, ...more: string[]) => {
    const terminal = new Terminal(machine, 'login', '--method', 'offline', '--email', email, '--no-session', ...more);
    terminal.type(`${code}\n`);
    await terminal.exitCode;
    return terminal.result();
  };
  const wrong = () => String((Number(totpCode(seed, step())) + 1) % 1_000_000).padStart(6, '0');

  /** The server prepared the technician, and is then out of reach. */
  async function prepare(change: Partial<PreparedAccess> = {}): Promise<void> {
    const sealedSecret = await sealTo(
      { publicKey: keys.publicKey, info: offlineSecretInfo, aad: offlineSecretAad(testDeviceId, technicianId) },
      seed,
    );
    const access = {
      technicianId,
      email,
      displayName: 'Anna Berg',
      accountId,
      accountName: 'jit-anna',
      sessionSeconds: 3600,
      idleEndSeconds: null,
      validUntilMs: Date.now() + 14 * 86_400_000,
      requireReason: false,
      requireTicket: false,
      sealedSecret,
      ...change,
    };
    server.reachable = true;
    server.offlineAccess = [access];
    server.want();
    const prepared = () => JSON.parse(readFileSync(join(machine.stateFolder, 'offline.json'), 'utf8')) as { access: object[] };
    await eventually(() =>
      expect(prepared().access).toMatchObject([{ validUntilMs: access.validUntilMs, requireReason: access.requireReason }]),
    );
    server.reachable = false;
  }

  beforeEach(async () => {
    machine = createPrivateMachine();
    server = new MemoryControlPlane();
    clock = new MovableClock();
    keys = await generateHpkeKeyPair();
    seed = newTotpSeed();
    used = 0;
    await start();
    await prepare();
  });
  afterEach(async () => {
    await agent?.close();
    machine.remove();
  });

  test('the terminal shows the computer`s id and time; a right code opens the account; the server hears of it once, when it is back', async () => {
    const terminal = new Terminal(machine, 'login', '--no-session');
    await eventually(() => expect(terminal.stderr).toContain('The server cannot be reached: offline login'));
    await eventually(() => expect(terminal.stderr).toMatch(/Email: /));
    expect(terminal.stderr).toMatch(/█/);
    expect(terminal.stderr).toContain(testDeviceId);
    expect(terminal.stderr).toMatch(/computer's time is \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/);
    terminal.type(`${email}\n${nextCode()}\n`);
    expect(await terminal.exitCode).toBe(0);
    expect(terminal.result()).toMatchObject({ state: 'ACTIVE', account: 'jit-anna', accountId, passwordVerified: true });
    const { grantId } = terminal.result() as { grantId: string };
    expect(await state()).toBe('ENABLED');
    await restart();
    expect(await state()).toBe('ENABLED');
    expect(server.offlineLogins).toEqual([]);

    // The server lists it from then on, under its id.
    server.reachable = true;
    server.want(aDesiredAccount({ id: accountId, grantId, sessionSeconds: 3600, expiresAt: Date.now() + 3_600_000 }));
    await eventually(() => expect(server.reported(accountId)).toContainEqual(expect.objectContaining({ state: 'ACTIVE', grantId })));
    expect(server.offlineLogins).toMatchObject([{ technicianId, accountId, grantId, sessionSeconds: 3600, reason: null, ticket: null }]);
    server.want(aDesiredAccount({ id: accountId, state: 'DISABLED' }));
    await eventually(async () => expect(await state()).toBe('DISABLED'));
    await restart();
    expect(server.offlineLogins).toHaveLength(1);
    expect(server.strays).toEqual([]);
  });

  test.each(['bootShiftMs', 'wallShiftMs'] as const)('it ends on time without the server, and is told with its end (%s)', async (shift) => {
    // By the time that the computer ran, or, where it stood still (a virtual machine that was paused), by its clock.
    expect(await tryCode(nextCode())).toMatchObject({ state: 'ACTIVE' });
    clock[shift] += 3_700_000;
    await eventually(async () => expect(await state()).toBe('DISABLED'));
    server.reachable = true;
    server.want();
    await eventually(() =>
      expect(server.reported(accountId)).toContainEqual(expect.objectContaining({ state: 'DISABLED', endReason: 'EXPIRED' })),
    );
    expect(server.offlineLogins).toHaveLength(1);
  });

  test('log-off ends it; a grant that the server does not list after it was told ends too', async () => {
    const first = await tryCode(nextCode());
    expect(first).toMatchObject({ state: 'ACTIVE' });
    const logoff = new Terminal(machine, 'logoff', 'jit-anna');
    expect(await logoff.exitCode).toBe(0);
    expect(await state()).toBe('DISABLED');
    expect(await tryCode(nextCode())).toMatchObject({ state: 'ACTIVE' });
    // One that the server does not take keeps it from hearing of the other neither.
    server.refusedOffline = String(first?.['grantId']);
    server.reachable = true;
    server.want();
    await eventually(() => expect(server.offlineLogins).toHaveLength(1));
    server.want();
    await eventually(async () => expect(await state()).toBe('DISABLED'));
  });

  test('each code once: not again, not after a restart, not after a reboot with the clock set back', async () => {
    const code = nextCode();
    expect(await tryCode(code)).toMatchObject({ state: 'ACTIVE' });
    expect(await tryCode(code)).toMatchObject({ state: 'REFUSED', message: expect.stringContaining('used already') });
    await restart();
    expect(await tryCode(code)).toMatchObject({ state: 'REFUSED' });
    clock.rebooted = 1;
    clock.wallShiftMs -= 50_000;
    await restart();
    expect(await tryCode(code)).toMatchObject({ state: 'REFUSED' });
  });

  test('after five wrong codes even a right one waits; a restart, a reboot and a clock set ahead do not shorten that', async () => {
    for (let tries = 0; tries < 5; tries++) expect(await tryCode(wrong())).toMatchObject({ state: 'REFUSED', retryAt: null });
    expect(await tryCode(nextCode())).toMatchObject({ state: 'REFUSED', message: expect.stringContaining('Too many wrong codes') });
    await restart();
    expect(await tryCode(nextCode())).toMatchObject({ state: 'REFUSED', message: expect.stringContaining('Too many wrong codes') });
    clock.rebooted = 1;
    clock.wallShiftMs += 86_400_000;
    await restart();
    expect(await tryCode(nextCode())).toMatchObject({ state: 'REFUSED', message: expect.stringContaining('Too many wrong codes') });
    clock.bootShiftMs += 30_000;
    expect(await tryCode(nextCode())).toMatchObject({ state: 'ACTIVE' });
    // The server hears of the lock once, when it is back.
    server.reachable = true;
    server.want();
    await eventually(() => expect(server.offlineLocks).toMatchObject([{ id: expect.any(String), technicianId, failures: 5 }]));
    server.want();
    await eventually(() => expect(server.fetched).toBe(server.revision));
    expect(server.offlineLocks).toHaveLength(1);
  });

  test('a clock 90 s off, one that was set back, and access that ran out are refused in words', async () => {
    expect(await tryCode(totpCode(seed, beginStep() - 3))).toMatchObject({
      state: 'REFUSED',
      message: expect.stringMatching(/clocks differ.*about 90 s ahead/),
    });
    clock.wallShiftMs = -600_000;
    expect(await tryCode(totpCode(seed, step()))).toMatchObject({
      state: 'REFUSED',
      message: expect.stringContaining('before a time that it has passed'),
    });
    clock.wallShiftMs = 15 * 86_400_000;
    expect(await tryCode(totpCode(seed, step()))).toMatchObject({ state: 'REFUSED', message: expect.stringContaining('has run out') });
    expect(await state()).toBe('ABSENT');
  });

  test('unknown people hear what wrong codes hear; a reason is asked where it is demanded, and told', async () => {
    const unknown = new Terminal(machine, 'login', '--method', 'offline', '--email', 'bo@example.com', '--no-session');
    unknown.type('000000\n');
    await unknown.exitCode;
    expect(unknown.result()).toEqual(await tryCode(wrong()));
    await prepare({ requireReason: true, requireTicket: true });
    expect(await tryCode(nextCode(), '--reason', 'printer is down', '--ticket', 'T-17')).toMatchObject({ state: 'ACTIVE' });
    server.reachable = true;
    server.want();
    await eventually(() => expect(server.offlineLogins).toMatchObject([{ reason: 'printer is down', ticket: 'T-17' }]));
  });

  test('after fifty wrong codes in a row the secret is gone from the computer, until the server prepares it anew', async () => {
    const file = join(machine.stateFolder, 'offline.json');
    const secret = () => (JSON.parse(readFileSync(file, 'utf8')) as { access: { secret: object | null }[] }).access[0]?.secret;
    const { OfflineStore } = await import('../offline/offline-store.ts');
    await agent?.close();
    // As 49 wrong codes with all their waiting leave it.
    new OfflineStore(machine.stateFolder, keys).change(
      (each) => void (each.guards[technicianId] = { lastStep: null, failures: 49, lock: null }),
    );
    await start();
    expect(secret()).not.toBeNull();
    await tryCode(wrong());
    expect(secret()).toBeNull();
    expect(await tryCode(nextCode())).toMatchObject({ state: 'REFUSED' });
    await prepare();
    expect(secret()).not.toBeNull();
    expect(await tryCode(nextCode())).toMatchObject({ state: 'REFUSED', message: expect.stringContaining('Too many wrong codes') });
  });

  test('on disk: no secret in the clear, nothing that another device or a copy without the key opens', async () => {
    for (const file of readdirSync(machine.stateFolder).filter((name) => name !== 'agent.sock')) {
      const content = readFileSync(join(machine.stateFolder, file));
      for (const form of [seed, seed.toString('base64'), seed.toString('base64url'), seed.toString('hex')])
        expect(content.includes(form)).toBe(false);
      expect(statSync(join(machine.stateFolder, file)).mode & 0o777).toBe(0o600);
    }
    await agent?.close();
    keys = await generateHpkeKeyPair();
    await start();
    expect(await tryCode(nextCode())).toMatchObject({ state: 'REFUSED' });
  });
});
