// Runs the command line as a function, with captured output.
import { PassThrough, Readable } from 'node:stream';
import type { ExitCode } from './failure.ts';
import { run } from './run.ts';

export interface CapturedRun {
  exitCode: ExitCode;
  stdout: string;
  stderr: string;
}

export interface Surroundings {
  env?: Record<string, string>;
  /** What comes on stdin when nobody sits at a terminal. */
  stdin?: string;
  /** A person at a terminal, who answers each question with the next of these, and then hangs up. */
  typed?: string[];
  /** What the person's browser does with an address; by default there is no browser. */
  browser?: (address: string) => Promise<void>;
}

export async function capture(argv: string[], { env = {}, stdin, typed, browser }: Surroundings = {}): Promise<CapturedRun> {
  const output = { stdout: '', stderr: '' };
  const keyboard = new PassThrough();
  const answers = [...(typed ?? [])];
  const sink = (name: 'stdout' | 'stderr') => ({
    isTTY: typed !== undefined,
    write(text: string) {
      output[name] += text;
      // A question ends without a line feed.
      if (typed === undefined || name === 'stdout' || text.endsWith('\n')) return;
      const answer = answers.shift();
      if (answer === undefined) keyboard.end();
      else keyboard.write(`${answer}\n`);
    },
  });
  const input = typed === undefined ? Readable.from(stdin === undefined ? [] : [stdin]) : Object.assign(keyboard, { isTTY: true });
  const exitCode = await run(argv, {
    env: { NO_COLOR: '1', ...env },
    stdin: input,
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    openBrowser: browser ?? (() => Promise.reject(new Error('no browser'))),
  });
  return { exitCode, ...output };
}
