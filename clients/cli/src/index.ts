export { run } from './run.ts';
export type { ExitCode } from './failure.ts';
export type { Io, TextSink } from './io.ts';
