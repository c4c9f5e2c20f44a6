// npm run build: tsc -b over all packages, a line for each package that has to be compiled.
import { spawn } from 'node:child_process';
import { chmodSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { once } from 'node:events';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { bundleConsole } from './bundle.ts';

const root = join(import.meta.dirname, '..');
const total = (JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as { references: unknown[] }).references.length;

const startedAt = performance.now();
const compiler = spawn(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-b', '--verbose', ...(process.stdout.isTTY ? ['--pretty'] : [])],
  { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
);
const exited = new Promise<number>((resolve, reject) => {
  compiler.once('error', reject);
  compiler.once('close', (code) => resolve(code ?? 1));
});

// --verbose tells of every project once: that it is built or updated, is up to date, or is skipped because of an error below it.
let seen = 0;
let compiled = 0;
for await (const line of createInterface({ input: compiler.stdout })) {
  const building = /Building project '(.+)'\.\.\./.exec(line)?.[1];
  const status = /Project '(.+)' (?:is up to date|is out of date|can't be built)/.exec(line)?.[1];
  if (status !== undefined) {
    seen += 1;
  } else if (building !== undefined) {
    compiled += 1;
    console.log(`build ${String(seen).padStart(2)}/${total}  ${relative(root, dirname(building))}`);
  } else if (!/Projects in this build:|^\s+\* |Updating (output|unchanged)|Skipping build of project|^\s*$/.test(line)) {
    console.log(line);
  }
}

const code = await exited;
if (code === 0) linkPrograms();
if (code === 0) await bundleConsole(root);
if (code === 0 && compiled > 0) await warmCompileCache();
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
if (code === 0) console.log(compiled === 0 ? 'build: up to date' : `build: ${compiled} of ${total} packages in ${seconds} s`);
else console.error('build: failed');
process.exitCode = code;

/** npm links a package's programs when it installs, and skips those that are not built yet: here they are, for `npx stint`. */
function linkPrograms(): void {
  const programs = join(root, 'node_modules', '.bin');
  mkdirSync(programs, { recursive: true });
  for (const manifest of globSync('clients/*/package.json', { cwd: root })) {
    const { bin = {} } = JSON.parse(readFileSync(join(root, manifest), 'utf8')) as { bin?: Record<string, string> };
    for (const [name, file] of Object.entries(bin)) {
      const target = join(root, dirname(manifest), file);
      chmodSync(target, 0o755);
      rmSync(join(programs, name), { force: true });
      symlinkSync(relative(programs, target), join(programs, name));
    }
  }
}

/** Loads what `npm start` loads, once, so that Node keeps it compiled: the first start then takes half the time to load. */
async function warmCompileCache(): Promise<void> {
  const stack = pathToFileURL(join(root, 'deploy/embedded/dist/stack.js')).href;
  const env = { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/stint-compile') };
  const loading = spawn(process.execPath, ['--input-type=module', '--eval', `await import(${JSON.stringify(stack)}); process.exit(0)`], {
    env,
    stdio: 'ignore',
  });
  await once(loading, 'close');
}
