import { describe, expect, test } from '@jest/globals';
import { eventually } from '@stint/testing';
import { PrivateKeyCache } from './private-key-cache.ts';

const key = () => Buffer.from('private half');
const zeros = Buffer.alloc(key().length);

describe('private halves in memory', () => {
  test('are unwrapped once for many who ask at once', async () => {
    const cache = new PrivateKeyCache();
    let unwrapped = 0;
    const unwrap = () => Promise.resolve(key()).finally(() => (unwrapped += 1));
    const seen = await Promise.all(Array.from({ length: 50 }, () => cache.use('a', unwrap, (bytes) => Promise.resolve(bytes.toString()))));
    expect(new Set(seen)).toEqual(new Set(['private half']));
    await cache.use('b', unwrap, () => Promise.resolve());
    expect(unwrapped).toBe(2);
    cache.close();
  });

  test('are cleared when their time is over, but not while somebody works with one', async () => {
    const cache = new PrivateKeyCache({ keptMs: 5 });
    const bytes = key();
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const working = cache.use(
      'a',
      () => Promise.resolve(bytes),
      (one) => held.then(() => one.toString()),
    );
    let again = 0;
    await eventually(async () => {
      await cache.use(
        'a',
        () => Promise.resolve(key()).finally(() => (again += 1)),
        () => Promise.resolve(),
      );
      expect(again).toBeGreaterThan(0);
    });
    expect(bytes).toEqual(key());
    go();
    expect(await working).toBe('private half');
    await eventually(() => expect(bytes).toEqual(zeros));
    cache.close();
  });

  test('are never more than the limit; what goes is cleared', async () => {
    const cache = new PrivateKeyCache({ most: 2 });
    const kept = [key(), key(), key()];
    for (const [index, bytes] of kept.entries())
      await cache.use(
        `${index}`,
        () => Promise.resolve(bytes),
        () => Promise.resolve(),
      );
    await eventually(() => expect(kept).toEqual([zeros, key(), key()]));
    cache.close();
    await eventually(() => expect(kept).toEqual([zeros, zeros, zeros]));
  });

  test('a provider that fails is asked again the next time', async () => {
    const cache = new PrivateKeyCache();
    await expect(
      cache.use(
        'a',
        () => Promise.reject(new Error('away')),
        () => Promise.resolve(),
      ),
    ).rejects.toThrow('away');
    expect(
      await cache.use(
        'a',
        () => Promise.resolve(key()),
        (bytes) => Promise.resolve(bytes.toString()),
      ),
    ).toBe('private half');
    cache.close();
  });
});
