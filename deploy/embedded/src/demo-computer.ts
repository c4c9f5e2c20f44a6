import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DataDirectory } from './data-directory.ts';

const agentMain = fileURLToPath(import.meta.resolve('@stint/agent/main'));

/** The folders of the demo computer: the agent's state, and the private root whose `/etc` stands for the computer's. */
export function computerFolders(directory: DataDirectory): { state: string; root: string } {
  return { state: directory.at('demo', 'computer', 'agent'), root: directory.at('demo', 'computer', 'root') };
}

/** Runs the agent's program once and answers its output; throws with what it said when it fails. */
export async function runAgent(args: readonly string[], environment: Record<string, string> = {}): Promise<string> {
  const child = spawn(process.execPath, [agentMain, ...args], { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
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
  await runAgent(['enroll', '--url', url, '--state', state, '--root', root], { STINT_ENROLLMENT_TOKEN: token });
}

/** Starts the demo computer's agent as a process of its own, as on a real computer. */
export function startComputer(directory: DataDirectory): { process: ChildProcess; stop(): Promise<void> } {
  const { state, root } = computerFolders(directory);
  const child = spawn(process.execPath, [agentMain, 'run', '--state', state, '--root', root], { stdio: ['ignore', 'ignore', 'inherit'] });
  const closed = once(child, 'close');
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
