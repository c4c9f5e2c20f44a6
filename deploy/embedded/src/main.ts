import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installationEnvironment } from './config.ts';

// `npm start`. The installation runs in a process group of its own: Ctrl-C in a terminal goes to everything in the
// foreground group at once, and the database must not be gone before the services that still use it.
const installation = spawn(process.execPath, [fileURLToPath(new URL('./installation.js', import.meta.url))], {
  env: installationEnvironment(),
  detached: true,
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
});

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!stopping) installation.disconnect();
    // Asked a second time: now, and all of it.
    else if (installation.pid !== undefined) process.kill(-installation.pid, 'SIGKILL');
    stopping = true;
  });
}
installation.on('exit', (code) => process.exit(code ?? 1));
