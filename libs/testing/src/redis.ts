import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

/** A Redis of a test file's own: nothing on disk, `noeviction` as BullMQ needs it. */
export interface TestRedis {
  url: string;
  /** Loses everything, as a Redis without persistence does at a crash. */
  flush(): Promise<void>;
  /** All that it holds, as it would be on a disk (RDB, nothing in it compressed). */
  dump(): Promise<Buffer>;
  /** Answers nobody until it is thawed; connections stay open. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** True when `redis-server` is on this machine. Tests that need it skip with a clear line otherwise. */
export function redisIsInstalled(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

/** Starts a Redis on a free port and waits until it answers. */
export async function startTestRedis(): Promise<TestRedis> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'stint-redis-'));
  const command = async (line: string) => {
    const connection = connect(port, '127.0.0.1');
    connection.write(`${line}\r\n`);
    const [answer] = (await once(connection, 'data')) as [Buffer];
    connection.destroy();
    if (!answer.toString().startsWith('+OK')) throw new Error(`Redis answers ${line} with ${answer.toString()}`);
  };
  const server = spawn(
    'redis-server',
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'],
      ...['--dir', folder, '--rdbcompression', 'no'],
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  for await (const chunk of server.stdout) {
    if (String(chunk).includes('Ready to accept connections')) break;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    flush: () => command('FLUSHALL'),
    async dump() {
      await command('SAVE');
      return readFileSync(join(folder, 'dump.rdb'));
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    async stop() {
      server.kill('SIGCONT');
      const closed = once(server, 'close');
      server.kill('SIGTERM');
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
