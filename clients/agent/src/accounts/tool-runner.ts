import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { AccountError } from './account-driver.ts';

export interface ToolResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs one of the system's tools without a shell; `input` goes to its stdin, the only way for secrets. */
export type RunTool = (tool: string, args: readonly string[], input?: string) => Promise<ToolResult>;

const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const environment = { PATH: folders.join(':'), LC_ALL: 'C' };
const timeoutMs = 30_000;

/** The full path of a system tool, or null where it is not installed. The caller's PATH plays no part. */
export function findTool(tool: string): string | null {
  for (const folder of folders) {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return join(folder, tool);
    } catch {
      // Look on.
    }
  }
  return null;
}

/** Runs tools on the real system (as root). */
export const runDirectly: RunTool = (tool, args, input) => run(tool, args, input);

/** Runs tools in a user namespace of their own, in which the present user is root: for a private root, with or without being root outside. */
export const runInNamespace: RunTool = (tool, args, input) => run('unshare', ['-r', pathOf(tool), ...args], input, tool);

function pathOf(tool: string): string {
  const path = findTool(tool);
  if (path === null)
    throw new AccountError(`The system has no ${tool}. Install it (Debian: passwd and util-linux, Fedora: shadow-utils and util-linux).`);
  return path;
}

function run(program: string, args: readonly string[], input = '', tool = program): Promise<ToolResult> {
  const path = pathOf(program);
  return new Promise((resolve, reject) => {
    const child = execFile(
      path,
      args,
      { env: environment, cwd: '/', timeout: timeoutMs, killSignal: 'SIGKILL', encoding: 'utf8', maxBuffer: 1 << 20 },
      (error, stdout, stderr) => {
        if (error && (error.killed || typeof error.code !== 'number')) {
          reject(
            new AccountError(
              error.killed
                ? `${tool} did not finish within ${timeoutMs / 1000} seconds.`
                : `${tool} was ended by ${error.signal ?? String(error.code)}.`,
            ),
          );
        } else {
          resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
        }
      },
    );
    // A tool that ends before it has read everything is judged by its exit code.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
