import { createInterface } from 'node:readline';
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

/** Trimmed; null at the end of input. The terminal itself edits the line, and Ctrl-C ends the process. */
async function nextLine({ stdin }: Io): Promise<string | null> {
  const lines = createInterface({ input: stdin, terminal: false });
  try {
    return await new Promise((resolve) => {
      lines.once('line', (line) => resolve(line.trim()));
      lines.once('close', () => resolve(null));
    });
  } finally {
    lines.close();
  }
}
