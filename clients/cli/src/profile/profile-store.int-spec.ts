import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { newProfile } from '../signed-in.support.ts';
import { ProfileStore } from './profile.store.ts';

const url = 'https://stint.example.com';
let folder: string;
let store: ProfileStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stint-cli-'));
  store = new ProfileStore(join(folder, 'a', 'stint'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const file = (name: string) => join(store.folder, name);
const mode = async (path: string) => (await stat(path)).mode & 0o777;

describe('a profile', () => {
  test('is kept for this person alone, and opens again with its key', async () => {
    const content = newProfile(url);
    await store.save('default', content);
    expect(await mode(store.folder)).toBe(0o700);
    expect(await mode(file('default.json'))).toBe(0o600);
    expect(await readdir(store.folder)).toEqual(['default.json']);
    const profile = await store.open('default');
    expect(profile).toMatchObject({ name: 'default', url });
    expect(profile.dpopKey.export({ format: 'pem', type: 'pkcs8' })).toBe(content.dpopKey);
  });

  test('is kept for this person alone under a permissive umask too', async () => {
    const before = process.umask(0);
    try {
      await store.save('default', newProfile(url));
    } finally {
      process.umask(before);
    }
    expect(await mode(store.folder)).toBe(0o700);
    expect(await mode(file('default.json'))).toBe(0o600);
  });

  test('hands out its refresh token once, however many ask at the same time', async () => {
    await store.save('default', { ...newProfile(url), refreshToken: '0' });
    const seen: string[] = [];
    const another = new ProfileStore(join(folder, 'a', 'stint'));
    const renew = async (present: string) => {
      await readFile(file('default.json'));
      seen.push(present);
      return String(Number(present) + 1);
    };
    await Promise.all([store, another, store, another].map((each) => each.refreshTokens('default').exchange(renew)));
    expect(seen).toEqual(['0', '1', '2', '3']);
    expect(await readdir(store.folder)).toEqual(['default.json']);
  });

  test('keeps its refresh token when the gateway does not answer', async () => {
    await store.save('default', newProfile(url));
    const before = await readFile(file('default.json'), 'utf8');
    const lost = store.refreshTokens('default').exchange(() => Promise.reject(new Error('no answer')));
    await expect(lost).rejects.toThrow('no answer');
    expect(await readFile(file('default.json'), 'utf8')).toBe(before);
  });

  test.each([0o640, 0o604, 0o660, 0o666, 0o644])('that others can reach (%o) is refused', async (shared) => {
    await store.save('default', newProfile(url));
    await chmod(file('default.json'), shared);
    await expect(store.open('default')).rejects.toMatchObject({
      type: 'PROFILE_NOT_PRIVATE',
      message: expect.stringContaining('chmod 600'),
    });
  });

  test.each([0o755, 0o770, 0o701])('in a folder that others can enter (%o) is refused, and none is made there', async (shared) => {
    await store.save('default', newProfile(url));
    await chmod(store.folder, shared);
    await expect(store.open('default')).rejects.toMatchObject({ type: 'PROFILE_NOT_PRIVATE' });
    await expect(store.save('other', newProfile(url))).rejects.toMatchObject({ type: 'PROFILE_NOT_PRIVATE' });
    expect(await readdir(store.folder)).toEqual(['default.json']);
  });

  test.each(['', '{}', 'null', '{"version":1', '{"version":2}'])('that is broken (%j) is refused without its content', async (text) => {
    await mkdir(store.folder, { recursive: true, mode: 0o700 });
    await writeFile(file('default.json'), text, { mode: 0o600 });
    await expect(store.open('default')).rejects.toMatchObject({ type: 'PROFILE_BROKEN' });
  });

  test('whose key is damaged is refused without the key', async () => {
    const content = newProfile(url);
    await mkdir(store.folder, { recursive: true, mode: 0o700 });
    const damaged = { ...content, dpopKey: content.dpopKey.replace('MC4C', 'XX4C') };
    await writeFile(file('default.json'), JSON.stringify(damaged), { mode: 0o600 });
    const error = await store.open('default').catch((failure: unknown) => failure);
    expect(error).toMatchObject({ type: 'PROFILE_BROKEN' });
    expect(String(error)).not.toContain('BEGIN');
  });

  test.each(['', '.', '..', '../x', 'a/b', 'A', 'x.json', 'x'.repeat(65), 'a\n'])('cannot be called %j', async (name) => {
    await expect(store.open(name)).rejects.toMatchObject({ name: 'UsageError' });
  });

  test('that does not exist says how to get one', async () => {
    await expect(store.open('default')).rejects.toMatchObject({ type: 'NOT_SIGNED_IN', message: expect.stringContaining('stint sign-in') });
  });
});
