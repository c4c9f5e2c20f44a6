import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';

const folder = mkdtempSync(join(tmpdir(), 'stint-ci-summary-'));
afterAll(() => rmSync(folder, { recursive: true }));

const passed = { status: 'passed', ancestorTitles: ['a part'], title: 'works' };
const failed = { status: 'failed', ancestorTitles: [], title: 'breaks' };
const skipped = { status: 'pending', ancestorTitles: [], title: 'rests' };

function summary(
  suites: { message?: string; assertionResults: object[] }[] | null,
  ci: string,
): { last: string | undefined; code: number | null } {
  const file = join(folder, 'jest.json');
  rmSync(file, { force: true });
  if (suites !== null) {
    writeFileSync(
      file,
      JSON.stringify({ testResults: suites.map((suite, at) => ({ name: join(process.cwd(), `${at}.spec.ts`), message: '', ...suite })) }),
    );
  }
  const run = spawnSync(process.execPath, [join(import.meta.dirname, 'ci-summary.mjs'), file], { env: { CI: ci }, encoding: 'utf8' });
  return { last: run.stdout.trim().split('\n').at(-1), code: run.status };
}

test.each([
  ['all pass', [{ assertionResults: [passed, passed] }], 'true', '2 passed, 0 failed', 0],
  ['one fails', [{ assertionResults: [passed, failed] }], 'true', '1 passed, 1 failed', 1],
  ['one is skipped in CI', [{ assertionResults: [passed, skipped] }], 'true', '1 passed, 1 failed', 1],
  ['one is skipped at home', [{ assertionResults: [passed, skipped] }], '', '1 passed, 0 failed', 0],
  [
    'a suite does not load',
    [{ assertionResults: [passed] }, { message: 'SyntaxError', assertionResults: [] }],
    'true',
    '1 passed, 1 failed',
    1,
  ],
  ['nothing ran', [], 'true', '0 passed, 0 failed', 1],
  ['no results', null, 'true', '0 passed, 1 failed', 1],
])('%s', (_name, suites, ci, last, code) => {
  expect(summary(suites, ci)).toEqual({ last, code });
});
