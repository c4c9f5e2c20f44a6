import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findTool } from '../accounts/tool-runner.ts';
import { sessionMark } from '../sessions/session-mark.ts';

export interface SessionOptions {
  account: string;
  loginRequestId: string;
  uid: number;
  /** The private root on which the account was made; null: it is a real account. */
  root: string | null;
  /** The kind of terminal (TERM). */
  terminal: string;
}

/** A session that was opened: its process, and what to say about it. */
export interface OpenedSession {
  process: ChildProcess;
  note: string;
}

/**
 * Opens a session of the account at the present terminal. A real account: by the system's own `su`, as root, which
 * needs no password. On a private root no such account exists: a shell in a user namespace of its own, with the
 * private account files in place of the system's and the account's identity.
 */
export function openSession({ account, loginRequestId, uid, root, terminal }: SessionOptions): OpenedSession {
  if (root === null) {
    if (process.getuid?.() !== 0) throw new Error('Opening the session of a real account needs root: run stint-agent login as root.');
    return {
      process: start('su', ['-w', sessionMark, '-l', account], { TERM: terminal, [sessionMark]: loginRequestId }),
      note: `You are ${account}, an administrator of this computer.`,
    };
  }
  const shell = findTool('bash') ?? '/bin/sh';
  const home = join(root, 'home');
  const environment = {
    USER: account,
    LOGNAME: account,
    HOME: existsSync(home) ? home : root,
    SHELL: shell,
    PS1: `${account}@demo$ `,
    TERM: terminal,
    [sessionMark]: loginRequestId,
  };
  // Root of the first namespace may mount; the second gives the shell the account's own number and nothing else.
  const script = `for file in passwd group; do mount --bind "$1/etc/$file" "/etc/$file" || exit 1; done; exec unshare -U --map-user="$2" -- "$3" --norc`;
  const note = `This is a private root: no real account exists. The shell has ${account}'s identity in a user namespace of its own.`;
  return { process: start('unshare', ['-r', '-m', '/bin/sh', '-c', script, 'sh', root, String(uid), shell], environment), note };
}

function start(tool: string, args: string[], environment: Record<string, string>): ChildProcess {
  const path = findTool(tool);
  if (path === null) throw new Error(`The system has no ${tool}. Install util-linux.`);
  return spawn(path, args, {
    stdio: 'inherit',
    cwd: environment['HOME'] ?? '/',
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...environment },
  });
}
