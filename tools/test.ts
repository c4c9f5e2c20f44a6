// Jest on Node's own loader (docs/adr/0023-tests-share-loaded-modules.md); arguments are Jest's. `npm test` builds first.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const jest = spawn(
  process.execPath,
  [
    // Tests run on the packages' sources, not on what was built. Workers inherit this.
    '--conditions=@stint/source',
    `--import=${pathToFileURL(join(root, 'tools/jest/sources.mjs')).href}`,
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    // Programs that tests start, agents and services, load from where `npm run build` has kept what was compiled.
    env: { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/stint-compile') },
  },
);
// Ctrl-C reaches Jest too, as it is in the same group: wait until it has stopped its PostgreSQL. A kill of this process alone is passed on.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => jest.kill('SIGTERM'));
jest.once('close', (code) => {
  process.exitCode = code ?? 1;
});
