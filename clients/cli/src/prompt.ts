import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandRefusal, UsageError } from './failure.ts';
import { isInteractive, type Io } from './io.ts';
import { visible } from './render/text.ts';

/** Asks the person at the terminal; `instead` tells how to pass the answer where nobody can be asked. Answers are trimmed, and shown while typed. */
export async function ask(io: Io, question: string, instead: string): Promise<string> {
  if (!isInteractive(io)) throw new UsageError(instead);
  io.stderr.write(`${visible(question)} `);
  const answer = await nextLine(io);
  if (answer === null) throw new CommandRefusal('CANCELLED', 'Cancelled. Nothing was done.');
  return answer;
}

/** Asks for a yes; anything else ends the command. `--yes` answers it beforehand. */
export async function confirm(io: Io, question: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return;
  const answer = await ask(io, `${question} [y/N]`, 'Nobody can be asked here. Pass --yes if you are sure.');
  if (!/^y(es)?$/i.test(answer)) throw new CommandRefusal('CANCELLED', 'Cancelled. Nothing was done.');
}

/** The next line of stdin, for what must not stand on a command line; a person at the terminal is told what is wanted. */
export async function readStdinLine(io: Io, question: string): Promise<string> {
  if (isInteractive(io)) io.stderr.write(`${question} `);
  const line = await nextLine(io);
  if (line === null || line === '') throw new UsageError('Nothing came on stdin: it must be one line.');
  return line;
}

/** A secret: not shown while it is typed. Where nobody sits at a terminal it is the next line of stdin. */
export async function readSecret(io: Io, question: string): Promise<string> {
  if (!isInteractive(io)) return readStdinLine(io, question);
  // Asked when nothing is echoed any more: people type fast.
  const answer = await nextLine(io, () => io.stderr.write(`${question} `));
  io.stderr.write('\n');
  if (answer === null) throw new CommandRefusal('CANCELLED', 'Cancelled. Nothing was done.');
  return answer;
}

/** Trimmed; null at the end of input. The terminal itself edits the line, and Ctrl-C ends the process; with `hiddenFor`, which asks, the line is edited here unseen. */
async function nextLine({ stdin }: Io, hiddenFor?: () => void): Promise<string | null> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: nowhere, terminal: hiddenFor !== undefined, historySize: 0 });
  try {
    return await new Promise((resolve) => {
      lines.once('line', (line) => resolve(line.trim()));
      lines.once('SIGINT', () => resolve(null));
      lines.once('close', () => resolve(null));
      hiddenFor?.();
    });
  } finally {
    lines.close();
  }
}
