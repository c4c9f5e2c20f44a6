import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { generateHpkeKeyPair, newTotpSeed, sealTo, totpCode, totpStep, type HpkeKeyPair } from '@stint/crypto';
import { createLog } from '@stint/host';
import { newId } from '@stint/kernel';
import { MovableClock } from '../testing/agent-under-test.ts';
import { OfflineChecker, offlineSecretAad, offlineSecretInfo, type OfflineAnswer } from './offline-checker.ts';
import { OfflineStore } from './offline-store.ts';

describe('codes without the server, on a real file', () => {
  const deviceId = newId();
  const seed = newTotpSeed();
  const people = ['anna', 'bo'].map((name) => ({ technicianId: newId(), email: `${name}@example.com` }));
  let folder: string;
  let keys: HpkeKeyPair;
  let clock: MovableClock;
  let checker: OfflineChecker;

  const open = () =>
    new OfflineChecker({ store: new OfflineStore(folder, keys), keys, deviceId, clock, log: createLog('agent', 'silent') });
  const code = () => totpCode(seed, totpStep(new Date(clock.read().wallMs)));
  const pass = (ms: number) => {
    clock.bootShiftMs += ms;
    clock.wallShiftMs += ms;
  };
  const wrong = () => String((Number(code()) + 1) % 1_000_000).padStart(6, '0');
  const said = (answer: OfflineAnswer) => ('refused' in answer ? answer.refused : answer.access.technicianId);
  const prepared = (sealedFor = deviceId) =>
    Promise.all(
      people.map(async ({ technicianId, email }) => ({
        technicianId,
        email,
        displayName: email,
        accountId: newId(),
        accountName: 'jit-x',
        sessionSeconds: 60,
        idleEndSeconds: null,
        validUntilMs: Date.now() + 86_400_000,
        requireReason: false,
        requireTicket: false,
        sealedSecret: await sealTo(
          { publicKey: keys.publicKey, info: offlineSecretInfo, aad: offlineSecretAad(sealedFor, technicianId) },
          seed,
        ),
      })),
    );

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'stint-offline-'));
    keys = await generateHpkeKeyPair();
    clock = new MovableClock();
    // In the middle of a step, so that no test crosses a border by chance.
    clock.wallShiftMs = 15_000 - (Date.now() % 30_000);
    checker = open();
    await checker.prepare(await prepared());
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('the same code at the same moment from two terminals opens once', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => checker.check('Anna@Example.com ', code())));
    expect(answers.map(said).sort()).toEqual(
      [
        people[0]!.technicianId,
        'This code was used already. Wait for the next one.',
        'This code was used already. Wait for the next one.',
      ].sort(),
    );
    expect(said(await open().check('anna@example.com', code()))).toContain('used already');
  });

  test('one technician`s lock leaves the others alone; tries of all together lock the computer', async () => {
    for (let tries = 0; tries < 5; tries++) await checker.check('anna@example.com', wrong());
    expect(said(await checker.check('anna@example.com', code()))).toContain('Too many wrong codes');
    expect(said(await checker.check('bo@example.com', code()))).toBe(people[1]!.technicianId);
    for (let tries = 0; tries < 20; tries++) {
      expect(said(await checker.check(`nobody-${tries}@example.com`, wrong()))).toMatch(/wrong|Too many/);
      // Past the waiting that unknown people share.
      if (tries < 19) pass(3_600_000);
    }
    expect(said(await checker.check('bo@example.com', code()))).toContain('Too many wrong codes');
    expect(said(await open().check('bo@example.com', code()))).toContain('Too many wrong codes');
    pass(30_000);
    expect(said(await checker.check('bo@example.com', code()))).toBe(people[1]!.technicianId);
  });

  test('of each lock there is one report to make, the newest; what was told meanwhile does not take the newer one with it', async () => {
    for (let tries = 0; tries < 5; tries++) await checker.check('anna@example.com', wrong());
    const [first] = checker.locks;
    expect(checker.locks).toMatchObject([{ technicianId: people[0]!.technicianId, failures: 5 }]);
    pass(30_000);
    await checker.check('anna@example.com', wrong());
    expect(open().locks).toMatchObject([{ technicianId: people[0]!.technicianId, failures: 6 }]);
    checker.told(new Set([first!.id]));
    expect(checker.locks).toHaveLength(1);
    for (let tries = 0; tries < 5; tries++) await checker.check('nobody@example.com', wrong());
    expect(checker.locks).toMatchObject([{ failures: 6 }, { technicianId: null, failures: 5 }]);
    checker.told(new Set(checker.locks.map(({ id }) => id)));
    expect(open().locks).toEqual([]);
  });

  test('unknown people wait as known ones do', async () => {
    for (let tries = 0; tries < 5; tries++) await checker.check('nobody@example.com', wrong());
    expect(said(await checker.check('nobody@example.com', wrong()))).toContain('Too many wrong codes');
  });

  test('a secret that was sealed for another device does not open; who is no longer prepared is nobody', async () => {
    await checker.prepare(await prepared(newId()));
    expect(checker.isPrepared).toBe(false);
    expect(said(await checker.check('anna@example.com', code()))).toContain('is wrong, or offline login is not prepared');
    await checker.prepare(await prepared());
    expect(checker.isPrepared).toBe(true);
    await checker.prepare([]);
    expect(said(await checker.check('anna@example.com', code()))).toContain('is wrong, or offline login is not prepared');
  });

  test('prepared again, what was used stays used and what is locked stays locked', async () => {
    const used = code();
    await checker.check('anna@example.com', used);
    for (let tries = 0; tries < 5; tries++) await checker.check('bo@example.com', wrong());
    await checker.prepare([]);
    await checker.prepare(await prepared());
    expect(said(await checker.check('anna@example.com', used))).toContain('used already');
    expect(said(await checker.check('bo@example.com', code()))).toContain('Too many wrong codes');
  });
});
