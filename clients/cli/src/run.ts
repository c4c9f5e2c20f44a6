import { CommanderError, type Command } from 'commander';
import { describeFailure, UsageError, type ExitCode } from './failure.ts';
import type { Io } from './io.ts';
import { Output } from './output.ts';
import { buildProgram } from './program.ts';
import { openSession, type Act, type GlobalOptions, type Session } from './session.ts';

type ArgumentsOf<Work> = Work extends (session: Session, ...args: infer Arguments) => unknown ? Arguments : never;

/** Runs one command line (`argv` without node and script). Never throws; answers the exit code: 0 done, 1 problem or refusal, 2 wrong usage, 3 gateway not reachable. */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const act: Act =
    (work) =>
    async (...args) => {
      // Commander passes the arguments, the options and the command itself.
      const command = args.pop() as Command;
      exitCode = (await work(openSession(io, command.optsWithGlobals<GlobalOptions>()), ...(args as ArgumentsOf<typeof work>))) ?? 0;
    };
  const json = argv.includes('--json');
  const output = new Output(io, { json });
  const program = buildProgram(act, { writeOut: (text) => io.stdout.write(text), writeErr: (text) => json || io.stderr.write(text) });
  try {
    await program.parseAsync(argv as string[], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      // To people commander has told it already, with its suggestion.
      if (json) output.failure({ exitCode: 2, type: 'USAGE', message: error.message.replace(/^error: /, '') });
      return 2;
    }
    const failure = describeFailure(error);
    output.failure(failure);
    if (error instanceof UsageError && !json) io.stderr.write('Run it with --help to see how it is used.\n');
    return failure.exitCode;
  }
}
