import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { eventually } from './eventually.ts';

/** A program at a terminal of its own (a pty, by script(1)), as a person would use it. */
export class PtyTerminal {
  /** All that were opened, for what a failed scenario tells. */
  static readonly opened: PtyTerminal[] = [];
  readonly process: ChildProcessWithoutNullStreams;
  shown = '';

  constructor(command: string, as: { uid?: number } = {}) {
    this.process = spawn('script', ['-qfec', command, '/dev/null'], {
      stdio: 'pipe',
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', TERM: 'dumb', SHELL: '/bin/sh', HOME: '/' },
      ...(as.uid === undefined ? {} : { uid: as.uid, gid: as.uid }),
    });
    PtyTerminal.opened.push(this);
    const decoder = new TextDecoder();
    this.process.stdout.on('data', (chunk: Buffer) => (this.shown += decoder.decode(chunk, { stream: true }).replaceAll('\r', '')));
    this.process.stderr.on('data', (chunk: Buffer) => (this.shown += chunk.toString()));
    this.process.stdin.on('error', () => undefined);
  }

  type(text: string): void {
    this.process.stdin.write(`${text}\n`);
  }

  /** Waits until the terminal shows this. */
  async sees(wanted: string | RegExp): Promise<void> {
    await eventually(
      () => {
        if (typeof wanted === 'string' ? !this.shown.includes(wanted) : !wanted.test(this.shown))
          throw new Error(`The terminal does not show ${String(wanted)}, but: ${this.shown}`);
      },
      { timeoutMs: 20_000 },
    );
  }

  /** Waits until the program has ended and returns its exit code. */
  async exit(): Promise<number | null> {
    return eventually(
      () => {
        const { exitCode, signalCode, stdout } = this.process;
        if ((exitCode === null && signalCode === null) || !stdout.closed) throw new Error('The program has not ended.');
        return exitCode;
      },
      { timeoutMs: 20_000 },
    );
  }

  /** Runs a line in the shell and returns what it printed. */
  async run(line: string): Promise<string> {
    const mark = `done-${Math.floor(performance.now() * 1000)}`;
    // The mark is put together by the shell, so that the echo of what was typed is not taken for it.
    this.type(`printf '<%s\\n' '${mark}'; ${line}; printf '%s>\\n' '${mark}'`);
    await this.sees(`${mark}>\n`);
    return this.shown.slice(this.shown.lastIndexOf(`<${mark}\n`) + mark.length + 2, this.shown.lastIndexOf(`${mark}>`)).trim();
  }
}
