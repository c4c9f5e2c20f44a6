import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { newProfileContent } from './profile.ts';
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
    const content = newProfileContent(url, 'mark');
    await store.begin('default', content);
    await store.finish('default');
    expect(await mode(store.folder)).toBe(0o700);
    expect(await mode(file('default.json'))).toBe(0o600);
    expect(await readdir(store.folder)).toEqual(['default.json']);
    const profile = await store.open('default');
    expect(profile).toMatchObject({ name: 'default', url, credentialId: content.credentialId });
    expect(profile.privateKey.export({ format: 'pem', type: 'pkcs8' })).toBe(content.privateKey);
  });

  test('is kept for this person alone under a permissive umask too', async () => {
    const before = process.umask(0);
    try {
      await store.begin('default', newProfileContent(url, 'mark'));
    } finally {
      process.umask(before);
    }
    expect(await mode(store.folder)).toBe(0o700);
    expect(await mode(file('default.pending.json'))).toBe(0o600);
  });

  test('is not there before the sign-in is finished, but its key is', async () => {
    const content = newProfileContent(url, 'mark');
    await store.begin('default', content);
    expect(await store.exists('default')).toBe(false);
    expect(await store.pending('default')).toEqual(content);
    await expect(store.open('default')).rejects.toThrow(/was not finished/);
  });

  test('of a second sign-in never overwrites the key of the first', async () => {
    const content = newProfileContent(url, 'mark');
    const results = await Promise.allSettled([
      store.begin('default', content),
      ...Array.from({ length: 5 }, () => store.begin('default', newProfileContent(url, 'other'))),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(store.folder)).toEqual(['default.pending.json']);
  });

  test('stays as it was when a new sign-in is given up', async () => {
    const content = newProfileContent(url, 'mark');
    await store.begin('default', content);
    await store.finish('default');
    await store.begin('default', newProfileContent(url, 'other'));
    await store.abandon('default');
    expect((await store.open('default')).credentialId).toBe(content.credentialId);
  });

  test.each([0o640, 0o604, 0o660, 0o666, 0o644])('that others can reach (%o) is refused', async (shared) => {
    await store.begin('default', newProfileContent(url, 'mark'));
    await store.finish('default');
    await chmod(file('default.json'), shared);
    await expect(store.open('default')).rejects.toMatchObject({
      type: 'PROFILE_NOT_PRIVATE',
      message: expect.stringContaining('chmod 600'),
    });
  });

  test.each([0o755, 0o770, 0o701])('in a folder that others can enter (%o) is refused, and none is made there', async (shared) => {
    await store.begin('default', newProfileContent(url, 'mark'));
    await store.finish('default');
    await chmod(store.folder, shared);
    await expect(store.open('default')).rejects.toMatchObject({ type: 'PROFILE_NOT_PRIVATE' });
    await expect(store.begin('other', newProfileContent(url, 'mark'))).rejects.toMatchObject({ type: 'PROFILE_NOT_PRIVATE' });
    expect(await readdir(store.folder)).toEqual(['default.json']);
  });

  test.each(['', '{}', 'null', '{"version":1', '{"version":2}'])('that is broken (%j) is refused without its content', async (text) => {
    await mkdir(store.folder, { recursive: true, mode: 0o700 });
    await writeFile(file('default.json'), text, { mode: 0o600 });
    await expect(store.open('default')).rejects.toMatchObject({ type: 'PROFILE_BROKEN' });
  });

  test('whose key is damaged is refused without the key', async () => {
    const content = newProfileContent(url, 'mark');
    await mkdir(store.folder, { recursive: true, mode: 0o700 });
    const damaged = { ...content, privateKey: content.privateKey.replace('MC4C', 'XX4C') };
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

  test('holds nothing but what signing in needs', async () => {
    await store.begin('default', newProfileContent(url, 'mark'));
    const kept = JSON.parse(await readFile(file('default.pending.json'), 'utf8')) as object;
    expect(Object.keys(kept).sort()).toEqual(['credentialId', 'invitation', 'privateKey', 'url', 'version']);
  });
});
