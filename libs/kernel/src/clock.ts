/** Where time comes from. Domain functions take instants; services ask the clock, so that no test has to sleep. */
export interface Clock {
  now(): Date;
  /** Waits so many milliseconds, or until the signal is aborted; never throws. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = { now: () => new Date(), pause };

function pause(ms: number, signal: AbortSignal): Promise<void> {
  // Aborted before: the event has passed, nobody would wake us.
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}

/** The instant `seconds` after `at` (before it when negative). */
export function addSeconds(at: Date, seconds: number): Date {
  return new Date(at.getTime() + seconds * 1000);
}
