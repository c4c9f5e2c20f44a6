// npm run check: everything that must hold apart from the tests. Goes on after a failure, so that one run shows all of them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const steps = [['compose', '--check'], ['codegen', '--check'], ['typecheck'], ['lint'], ['format:check'], ['knip']] as const;

const failed: string[] = [];
for (const [script, ...args] of steps) {
  const startedAt = performance.now();
  console.log(`\ncheck: ${[script, ...args].join(' ')}`);
  const { status } = spawnSync('npm', ['run', '--silent', script, '--', ...args], {
    cwd: join(import.meta.dirname, '..'),
    stdio: 'inherit',
  });
  if (status !== 0) failed.push(script);
  console.log(`check: ${script} ${status === 0 ? 'passed' : 'FAILED'} after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

if (failed.length > 0) console.error(`\ncheck: ${failed.length} of ${steps.length} failed: ${failed.join(', ')}`);
else console.log(`\ncheck: all ${steps.length} passed`);
process.exitCode = failed.length > 0 ? 1 : 0;
