import type { Readable } from 'node:stream';

/** Where text goes. A process's stdout and stderr fit. */
export interface TextSink {
  write(text: string): unknown;
  isTTY?: boolean;
}

/** Everything through which a command touches the world besides the network and the profile's folder. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>;
  stdin: Readable & { isTTY?: boolean };
  stdout: TextSink;
  stderr: TextSink;
  /** Shows an address in the person's browser. Rejects where there is none. */
  openBrowser(address: string): Promise<unknown>;
}

/** True when a person sits there: questions can be asked. */
export function isInteractive(io: Io): boolean {
  return io.stdin.isTTY === true && io.stderr.isTTY === true;
}
