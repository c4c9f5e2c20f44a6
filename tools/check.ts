// npm run check: everything that must hold apart from the tests. Goes on after a failure, so that one run shows all of them.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

const cwd = join(import.meta.dirname, '..');
// The longest first; two at a time.
const steps = ['lint', 'typecheck', 'compose -- --check', 'codegen -- --check', 'format:check', 'knip'];
const atOnce = 2;

const failed: string[] = [];
const waiting = [...steps];

/** Runs one script; what it has to say is shown in one piece, once it has ended. */
async function run(step: string): Promise<void> {
  const startedAt = performance.now();
  const child = spawn('npm', ['run', '--silent', ...step.split(' ')], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) failed.push(step);
  process.stdout.write(output);
  console.log(`check: ${step} ${code === 0 ? 'passed' : 'FAILED'} after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

// Types and rules are checked against what is built.
if (spawnSync('npm', ['run', '--silent', 'build'], { cwd, stdio: 'inherit' }).status !== 0) failed.push('build');
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) await run(step);
  }),
);

if (failed.length > 0) console.error(`\ncheck: failed: ${failed.join(', ')}`);
else console.log(`\ncheck: all ${steps.length} passed`);
process.exitCode = failed.length > 0 ? 1 : 0;
