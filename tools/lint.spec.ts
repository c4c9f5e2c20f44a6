import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';

// Each fixture breaks a rule of ours on purpose and says so: `// breaks: <rule> | <part of the message>`.
const folder = join(import.meta.dirname, 'lint-fixtures');
const fixtures = readdirSync(folder).filter((name) => name.endsWith('.ts'));

interface Finding {
  rule: string | null;
  message: string;
}

let found: Record<string, Finding[]>;

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'lint', 'judge.mjs')], {
    maxBuffer: 16_000_000,
  });
  found = JSON.parse(stdout) as typeof found;
});

describe('lint rules', () => {
  test.each(fixtures)('%s', (file) => {
    const expected = [...readFileSync(join(folder, file), 'utf8').matchAll(/^\/\/ breaks: (\S+) \| (.+)$/gm)].map(([, rule, message]) => ({
      rule,
      message: expect.stringContaining(message ?? ''),
    }));
    expect(found[file]).toEqual(expected);
  });

  test('every rule of our own has a fixture that breaks it', () => {
    const broken = new Set(Object.values(found).flatMap((findings) => findings.map(({ rule }) => rule)));
    const ours = [
      'stint/door',
      'stint/layer',
      'stint/file-name',
      'stint/library-doc',
      '@nx/enforce-module-boundaries',
      'no-restricted-syntax',
      '@typescript-eslint/no-floating-promises',
    ];
    expect(ours.filter((rule) => !broken.has(rule))).toEqual([]);
  });

  test('clean code passes', () => {
    const clean = fixtures.filter((file) => file.startsWith('clean'));
    expect(clean.length).toBeGreaterThan(0);
    for (const file of clean) expect(found[file]).toEqual([]);
  });
});
