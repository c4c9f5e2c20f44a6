import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createPrivateRoot, enroll, readIdentity } from '@stint/agent';
import { compileCache } from './config.ts';
import type { DataDirectory } from './data-directory.ts';

const agentMain = fileURLToPath(new URL('../../../clients/agent/dist/main.js', import.meta.url));

// The agent gets nothing of our environment but where programs are, and where compiled code is kept.
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The folders of the demo computer: the agent's state, and the private root whose `/etc` stands for the computer's. */
export function computerFolders(directory: DataDirectory): { state: string; root: string } {
  return { state: directory.at('demo', 'computer', 'agent'), root: directory.at('demo', 'computer', 'root') };
}

/** Runs the agent's program once and answers its output; throws with what it said when it fails. */
export async function runAgent(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [agentMain, ...args], {
    env: { PATH: searchPath, NODE_COMPILE_CACHE: compileCache },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`stint-agent ${args[0] ?? ''} failed: ${errors.trim() || output.trim()}`);
  return output;
}

/** Enrols the demo computer. Harmless when it is enrolled already. */
export async function enrollComputer(directory: DataDirectory, url: string, token: string): Promise<void> {
  const { state, root } = computerFolders(directory);
  if (readIdentity(state)?.confirmed === true) return;
  if (!existsSync(root)) createPrivateRoot(root);
  await enroll({ url, token, stateFolder: state, root });
}

export interface RunningComputer {
  process: ChildProcess;
  stop(): Promise<void>;
}

/** Starts the demo computer's agent as a process of its own, as on a real computer, and waits until it can be spoken to. */
export async function startComputer(directory: DataDirectory): Promise<RunningComputer> {
  const { state, root } = computerFolders(directory);
  const child = spawn(process.execPath, [agentMain, 'run', '--state', state, '--root', root], {
    env: { PATH: searchPath, NODE_COMPILE_CACHE: compileCache, LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const closed = once(child, 'close');
  await answers(`${state}/agent.sock`, child);
  return {
    process: child,
    async stop() {
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await closed;
      clearTimeout(hard);
    },
  };
}

async function answers(socket: string, child: ChildProcess): Promise<void> {
  for (let waited = 0; waited < 10_000 && child.exitCode === null; waited += 20) {
    const connected = await new Promise<boolean>((resolve) => {
      const probe = connect(socket, () => resolve(true)).once('error', () => resolve(false));
      probe.once('connect', () => probe.end());
    });
    if (connected) return;
    await delay(20);
  }
  throw new Error("The demo computer's agent does not start.");
}
