import { setTimeout as delay } from 'node:timers/promises';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { NetworkError, StintError } from './errors.ts';

/**
 * Why to check in now: `changed` when the server says that something is new, `connected` when the stream was (re)opened
 * and a nudge may have been missed before.
 */
export type Nudge = 'connected' | 'changed';

export interface NudgeStreamOptions {
  /** Opens the stream once; throws NetworkError or StintError. */
  open: (signal: AbortSignal) => Promise<Response>;
  signal: AbortSignal;
  /** Longest silence before the connection counts as lost; the server sends a comment every 15 seconds. */
  silenceMs?: number;
  /** First and longest delay between tries; each real delay is random between zero and the present bound (full jitter). */
  backoffMs?: { first: number; longest: number };
}

/** Endless until `signal` aborts; reconnects by itself. Throws only `StintError` UNAUTHENTICATED or FORBIDDEN: the credential itself was refused. */
export async function* nudgeStream(options: NudgeStreamOptions): AsyncGenerator<Nudge, void, void> {
  const { first, longest } = options.backoffMs ?? { first: 500, longest: 30_000 };
  let bound = first;
  while (!options.signal.aborted) {
    const connection = new AbortController();
    const signal = AbortSignal.any([options.signal, connection.signal]);
    let openedAt = Number.POSITIVE_INFINITY;
    const silence = new SilenceTimer(options.silenceMs ?? 45_000, () => connection.abort());
    try {
      const response = await options.open(signal);
      if (!response.body) throw new NetworkError('The nudge stream has no body.');
      openedAt = performance.now();
      yield 'connected';
      const events = response.body
        .pipeThrough(silence.watch())
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream({ maxBufferSize: 65_536 }));
      for await (const event of events) {
        if (event.event === 'nudge') yield 'changed';
        // The server ends each stream when its token expires and says so: the next one may be opened at once.
        if (event.event === 'renew') break;
      }
    } catch (error) {
      if (error instanceof StintError && (error.code === 'UNAUTHENTICATED' || error.code === 'FORBIDDEN')) throw error;
      // Everything else is a lost connection: try again below.
    } finally {
      silence.stop();
      connection.abort();
    }
    // A stream that lasted was a good one; one that is cut at once must not be tried again at full speed.
    if (performance.now() - openedAt > 5_000) bound = first;
    await delay(Math.random() * bound, undefined, { signal: options.signal }).catch(() => undefined);
    bound = Math.min(bound * 2, longest);
  }
}

class SilenceTimer {
  readonly #timer: NodeJS.Timeout;

  constructor(afterMs: number, run: () => void) {
    this.#timer = setTimeout(run, afterMs).unref();
  }

  watch(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
    return new TransformStream({
      transform: (chunk, controller) => {
        this.#timer.refresh();
        controller.enqueue(chunk);
      },
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
