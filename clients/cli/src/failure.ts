import { NetworkError, ProblemError, StintError } from '@stint/sdk';

/** 0 is success; 1 a problem or refusal; 2 wrong usage; 3 the gateway cannot be reached. */
export type ExitCode = 0 | 1 | 2 | 3;

/** The command was called in a way that it does not take. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A command's own refusal: it could be run, but must not or cannot go on. `type` is stable, for machines. */
export class CommandRefusal extends Error {
  override readonly name = 'CommandRefusal';
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** What is told of a failure. */
export interface Failure {
  exitCode: Exclude<ExitCode, 0>;
  /** Stable: a problem's or refusal's name. */
  type: string;
  message: string;
  /** What to do about it, where the message does not say so. */
  advice?: string;
  /** The problem's other fields. */
  fields?: Readonly<Record<string, unknown>>;
}

const advice: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'Run "stint sign-in". If that is refused too, ask an administrator.',
  FORBIDDEN: 'Your role does not allow this; "stint who-am-i" shows what it allows.',
  LIMITED: 'Wait a little and try again.',
  TRY_AGAIN: 'Try again in a moment.',
  SUBGRAPH_UNAVAILABLE: 'A part of the server does not answer. Try again in a moment.',
};

/** What to tell of anything that was thrown: never a stack, never a value that was not meant for people. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof UsageError) return { exitCode: 2, type: 'USAGE', message: error.message };
  if (error instanceof CommandRefusal) return { exitCode: 1, type: error.type, message: error.message };
  if (error instanceof ProblemError) return { exitCode: 1, type: error.type, message: problemMessage(error), fields: error.fields };
  if (error instanceof NetworkError) {
    return {
      exitCode: 3,
      type: 'UNREACHABLE',
      message: error.message,
      advice: 'Check that Stint runs at this address and that this computer reaches it, then try again.',
    };
  }
  if (error instanceof StintError) {
    const quoted = error.correlationId === undefined || error.message.includes(error.correlationId);
    const found = quoted ? undefined : `The server's log has it under ${error.correlationId}.`;
    const told = advice[error.code] ?? found;
    return { exitCode: 1, type: error.code, message: error.message, ...(told === undefined ? {} : { advice: told }) };
  }
  const { message, name, code } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { message: 'unknown', name: 'Error', code: undefined };
  // A system call's failure (a full disk, a missing folder) says what to do by itself; anything else is a fault of the program.
  if (code !== undefined && 'syscall' in (error as object)) return { exitCode: 1, type: code, message };
  return {
    exitCode: 1,
    type: 'INTERNAL',
    message: `The command failed in an unforeseen way (${name}: ${message}). Nothing more was done.`,
  };
}

function problemMessage(error: ProblemError): string {
  const field = error.fields['field'];
  const namesIt = typeof field !== 'string' || error.message.includes(field);
  return error.type === 'InvalidInput' && !namesIt ? `${field}: ${error.message}` : error.message;
}
