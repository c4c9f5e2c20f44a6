import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { fastify } from 'fastify';
import { mountWebApp } from './web-app.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-web-app-'));
mkdirSync(join(folder, 'dist/assets'), { recursive: true });
writeFileSync(join(folder, 'secret.txt'), 'not of the bundle');
writeFileSync(join(folder, 'dist/index.html'), '<!doctype html><title>Stint</title>');
writeFileSync(join(folder, 'dist/sw.js'), 'self;');
writeFileSync(join(folder, 'dist/assets/index-abc.js'), 'export {};');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const app = fastify();
mountWebApp(app, join(folder, 'dist'));
const get = (url: string) => app.inject({ url });

describe('the web app', () => {
  test.each(['/app', '/app/', '/app/devices/1', '/sign-in/abc', '/join', '/l/abc', '/entra/consent?state=abc'])(
    'has its page at %s, for no cache and no frame',
    async (url) => {
      const { statusCode, headers, body } = await get(url);
      expect([statusCode, body]).toEqual([200, '<!doctype html><title>Stint</title>']);
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
    },
  );

  test.each([
    ['/app/assets/index-abc.js', 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/app/sw.js', 'text/javascript; charset=utf-8', 'no-cache'],
  ])('serves %s', async (url, type, cache) => {
    expect((await get(url)).headers).toMatchObject({ 'content-type': type, 'cache-control': cache });
  });

  test.each(['/app/../secret.txt', '/app/%2e%2e/secret.txt', '/app/..%2fsecret.txt', '/app/assets/gone-123.js'])(
    'serves nothing of elsewhere: %s',
    async (url) => {
      const { statusCode, body } = await get(url);
      expect([statusCode, body.includes('not of the bundle')]).toEqual([404, false]);
    },
  );

  test('may be absent', async () => {
    const without = fastify();
    mountWebApp(without, join(folder, 'nowhere'));
    expect(await without.inject({ url: '/app' })).toMatchObject({ statusCode: 404, body: 'The web app is not part of this installation.' });
  });
});
