import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const run = promisify(execFile);
// Copies of /etc and /home stand before the real ones, for this one process and its children.
const script = [
  'set -e',
  'mount --make-rprivate /',
  'copy=$(mktemp -d)',
  'mount -t tmpfs none "$copy"',
  'cp -a /etc "$copy/etc"',
  'mount --bind "$copy/etc" /etc',
  'mount -t tmpfs none /home',
  'chmod 755 /home',
  'exec "$@"',
].join('\n');

const mayMount =
  process.getuid?.() === 0 &&
  (await run('unshare', ['-m', 'sh', '-c', 'mount --make-rprivate / && mount -t tmpfs none /home']).then(
    () => true,
    () => false,
  ));
if (!mayMount) process.stderr.write('Skipped, the driver on a real system: it needs root and mount namespaces.\n');

(mayMount ? test : test.skip)('as root: account, home, sessions and their processes, with the system`s own tools', async () => {
  const before = ['passwd', 'shadow', 'group'].map((file) => readFileSync(join('/etc', file), 'utf8'));
  const program = fileURLToPath(new URL('../testing/real-system.ts', import.meta.url));
  const node = [process.execPath, '--conditions=@stint/source', '--disable-warning=ExperimentalWarning', program];
  const { stdout } = await run('unshare', ['-m', 'sh', '-c', script, 'sh', ...node], { timeout: 60_000 });
  expect(JSON.parse(stdout)).toEqual({
    enabled: { name: 'jit-real', uid: true, passwordVerified: true, state: 'ENABLED' },
    identity: expect.stringMatching(/^jit-real (sudo|wheel)$/),
    homeMode: '700',
    otherEnded: { allGone: true, left: 0, firstRuns: true, state: 'ENABLED' },
    prolonged: { state: 'ENABLED', privileged: false },
    disabled: { state: 'DISABLED', processes: 0, refused: true },
    again: { state: 'ENABLED', identity: 'jit-real' },
    removed: { state: 'ABSENT', home: false },
  });
  expect(['passwd', 'shadow', 'group'].map((file) => readFileSync(join('/etc', file), 'utf8'))).toEqual(before);
});
