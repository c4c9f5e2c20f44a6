import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { freePort } from './free-port.ts';

/** A Redis of a test file's own: nothing on disk, `noeviction` as BullMQ needs it. */
export interface TestRedis {
  url: string;
  /** Loses everything, as a Redis without persistence does at a crash. */
  flush(): Promise<void>;
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
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  for await (const chunk of server.stdout) {
    if (String(chunk).includes('Ready to accept connections')) break;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    async flush() {
      const connection = connect(port, '127.0.0.1');
      connection.write('FLUSHALL\r\n');
      await once(connection, 'data');
      connection.destroy();
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    async stop() {
      server.kill('SIGCONT');
      const closed = once(server, 'close');
      server.kill('SIGTERM');
      await closed;
    },
  };
}
