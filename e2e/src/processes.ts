import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { compileCache } from '@stint/embedded';
import { eventually } from '@stint/testing';
import type { Installation } from './installation.ts';

export type ProcessName = 'tenants' | 'jit-policy' | 'laps-vault' | 'entra-connector' | 'gateway';

const folders: Record<ProcessName, string> = {
  tenants: 'services/tenants',
  'jit-policy': 'services/jit-policy',
  'laps-vault': 'services/laps-vault',
  'entra-connector': 'services/entra-connector',
  gateway: 'gateway',
};

/** The installation's processes, each a real one of its own that can be killed and started again. */
export class Processes {
  readonly #installation: Installation;
  readonly #logLevel: string;
  readonly #running = new Map<ProcessName, ChildProcess>();
  /** What `tenants` printed at its first start. */
  firstLink = '';
  /** What all of them have written to their logs. */
  output = '';

  constructor(installation: Installation, logLevel = 'fatal') {
    this.#installation = installation;
    this.#logLevel = logLevel;
  }

  async startAll(): Promise<void> {
    await Promise.all([this.start('tenants'), this.start('jit-policy'), this.start('laps-vault'), this.start('entra-connector')]);
    await this.start('gateway');
  }

  /** Starts a process and waits until it says that it is ready. */
  async start(name: ProcessName): Promise<void> {
    const environment = this.#installation.environments[name];
    const child = spawn(process.execPath, [fileURLToPath(new URL(`../../${folders[name]}/dist/main.js`, import.meta.url))], {
      env: { ...environment, LOG_LEVEL: this.#logLevel, NODE_COMPILE_CACHE: compileCache },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.set(name, child);
    child.stdout.on('data', (chunk) => {
      this.output += String(chunk);
      const link = /https?:\S+\/join#\S+/.exec(String(chunk));
      if (link !== null) this.firstLink = link[0];
    });
    child.stderr.on('data', (chunk) => {
      this.output += String(chunk);
      process.stderr.write(chunk);
    });
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
        const health = await fetch(`http://127.0.0.1:${environment['PORT']}/health/ready`).catch(() => null);
        if (health?.ok !== true) throw new Error(`${name} is not ready`);
      },
      { timeoutMs: 60_000 },
    );
  }

  /** SIGKILL: no goodbye, no flush. */
  async kill(name: ProcessName): Promise<void> {
    const child = this.#running.get(name);
    if (child === undefined) return;
    this.#running.delete(name);
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }

  async stopAll(): Promise<void> {
    for (const name of [...this.#running.keys()]) await this.kill(name);
  }
}
