/** A started process part: where it answers, and how to stop it. */
export interface Running {
  url: string;
  close(): Promise<void>;
}

/**
 * Runs a started part as a process of its own: SIGTERM and SIGINT close it in order, a second signal or 10 seconds
 * end it at once. A failed start ends with exit code 1 and its message alone.
 */
export async function runProcess(start: () => Promise<Running>): Promise<void> {
  const running = await start().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), 10_000).unref();
    running.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
