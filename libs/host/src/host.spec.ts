import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { z } from 'zod';
import { configFields, loadConfig, logOptions } from './index.ts';

const schema = z.object({ PORT: configFields.port(4000), SECRET: z.string().min(32), PEERS: configFields.record.default({}) });
const secret = 's'.repeat(32);

describe('configuration', () => {
  test('is typed, with defaults', () => {
    expect(loadConfig(schema, { SECRET: secret, PEERS: 'a=1, b=x=y' })).toEqual({
      PORT: 4000,
      SECRET: secret,
      PEERS: { a: '1', b: 'x=y' },
    });
  });

  test('names every fault at once and never a value', () => {
    const start = () => loadConfig(schema, { PORT: '99999', PEERS: 'hunter2' });
    expect(start).toThrow(/PORT: .*\n.*SECRET: is missing\n.*PEERS: must look like name=value/);
    expect(start).not.toThrow(/99999|hunter2/);
  });
});

test('the log hides secrets', () => {
  const lines: string[] = [];
  const into = new Writable({ write: (chunk, _, done) => (lines.push(String(chunk)), done()) });
  const log = pino(logOptions('probe', 'info'), into);
  log.info({ password: 'canary', input: { code: 'canary', name: 'kept' }, request: { headers: { authorization: 'canary' } } }, 'done');
  expect(lines.join('')).not.toContain('canary');
  expect(lines.join('')).toContain('kept');
});
