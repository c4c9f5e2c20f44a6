import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { publicKeyX } from '@stint/crypto';
import { createLog } from '@stint/host';
import { confirmIdentity, makeIdentity, readIdentity, type Identity } from './identity.ts';
import { KeyRotation, type DeviceKey, type KeyServer } from './key-rotation.ts';

/** Keeps keys as services/tenants does: a new one beside the old one until it is used for the first time. */
class Keys implements KeyServer {
  readonly good = new Map<string, string>();
  pending: { credentialId: string; publicKey: string } | null = null;
  /** Which call is cut off, counted from 1, and whether before or after it had its effect. */
  cut: { call: number; after: boolean } | null = null;
  calls = 0;
  conflicts = 0;

  register(by: DeviceKey, next: { credentialId: string; publicKey: string }) {
    return this.#call(() => {
      if (!this.#isGood(by)) return 'refused' as const;
      if (this.conflicts-- > 0) return 'conflict' as const;
      this.pending = next;
      return 'registered' as const;
    });
  }

  takes(key: DeviceKey) {
    return this.#call(() => {
      if (this.pending?.credentialId === key.id && this.pending.publicKey === publicKeyX(key.privateKey)) {
        this.good.clear();
        this.good.set(key.id, this.pending.publicKey);
        this.pending = null;
      }
      return this.#isGood(key);
    });
  }

  #isGood(key: DeviceKey): boolean {
    return this.good.get(key.id) === publicKeyX(key.privateKey);
  }

  async #call<T>(work: () => T): Promise<T> {
    const cut = ++this.calls === this.cut?.call ? this.cut : null;
    if (cut?.after === false) throw new Error('cut off');
    const answer = work();
    if (cut?.after === true) throw new Error('cut off');
    return answer;
  }
}

const day = 86_400_000;
let folder: string;
let server: Keys;
let now: number;
let used: DeviceKey[];

/** The agent as it starts with what is on disk. */
const start = () => {
  const identity = readIdentity(folder)!;
  return new KeyRotation({ folder, identity, server, log: createLog('agent', 'silent'), now: () => now, use: (key) => used.push(key) });
};
const keyFiles = () => readdirSync(folder).filter((name) => name.startsWith('signing'));
const settled = (before: Identity) => {
  const identity = readIdentity(folder)!;
  expect(identity).toMatchObject({ next: null, deviceId: before.deviceId, confirmed: true });
  expect([...server.good]).toEqual([[identity.credentialId, publicKeyX(identity.signingKey)]]);
  expect(keyFiles()).toEqual([identity.keyFile]);
  expect(statSync(join(folder, identity.keyFile)).mode & 0o777).toBe(0o600);
  return identity;
};

let before: Identity;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stint-key-'));
  server = new Keys();
  used = [];
  confirmIdentity(folder, await makeIdentity(folder, 'https://stint.example'));
  before = readIdentity(folder)!;
  server.good.set(before.credentialId, publicKeyX(before.signingKey));
  now = Date.now() + 400 * day;
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a key is used for a year; then there is a new one, and the old one is gone from here and there', async () => {
  now = Date.now() + 364 * day;
  expect(await start().run()).toBe(false);
  expect(server.calls).toBe(0);
  now = Date.now() + 400 * day;
  const agent = start();
  expect(await agent.run()).toBe(false);
  const identity = settled(before);
  expect(identity.credentialId).not.toBe(before.credentialId);
  expect(used.map(({ id }) => id)).toEqual([identity.credentialId]);
  // The same agent, and one that is started again, leave it at that for another year, and then go on from the new one.
  expect([await agent.run(), await start().run(), server.calls]).toEqual([false, false, 2]);
  now += 400 * day;
  expect(await agent.run()).toBe(false);
  expect(settled(before).credentialId).not.toBe(identity.credentialId);
});

describe('cut short, the next run ends it with one key that both know', () => {
  test.each([
    ['before the new key is registered', { call: 1, after: false }],
    ['after it was registered, before the answer', { call: 1, after: true }],
    ['before the new key is used', { call: 2, after: false }],
    ['after it was used and the old one ended, before the answer', { call: 2, after: true }],
  ])('%s', async (_name, cut) => {
    server.cut = cut;
    await expect(start().run()).rejects.toThrow('cut off');
    const { next } = readIdentity(folder)!;
    expect(next).not.toBeNull();
    // Started again, as after a crash; and the key is the one that was made before it.
    expect(await start().run()).toBe(false);
    expect(settled(before).credentialId).toBe(next?.credentialId);
  });

  test('after the new key was written down, before it was named: it is removed', async () => {
    writeFileSync(join(folder, 'signing-01a2054c-4858-762a-ab04-7268932454b3.pem'), 'half');
    expect(await start().run()).toBe(false);
    settled(before);
  });

  test('after it was named the one in use, before the old one was removed: that is made up for the next time', async () => {
    expect(await start().run()).toBe(false);
    writeFileSync(join(folder, 'signing.pem'), 'old');
    expect(await start().run()).toBe(false);
    now += 400 * day;
    expect(await start().run()).toBe(false);
    settled(before);
  });
});

test('an id that is taken is given up for another one', async () => {
  server.conflicts = 1;
  const agent = start();
  expect([await agent.run(), await agent.run()]).toEqual([true, false]);
  settled(before);
});

test('where the server takes neither key, both are kept and tried again', async () => {
  server.good.clear();
  const agent = start();
  expect([await agent.run(), await agent.run()]).toEqual([true, true]);
  expect(keyFiles()).toHaveLength(2);
  server.good.set(before.credentialId, publicKeyX(before.signingKey));
  expect(await agent.run()).toBe(false);
  settled(before);
});
