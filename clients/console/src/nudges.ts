import { authorization, refused, SignedOut } from './auth/session.ts';

const silenceMs = 45_000;
/** First and longest pause; each is random between zero and the present bound (full jitter). */
const [firstPauseMs, longestPauseMs] = [500, 30_000];
/** A stream that lasted so long was a good one; one that is cut at once must not be tried again at full speed. */
const goodMs = 5_000;

/**
 * Calls `look` when something new waits for the signed-in person, and each time the stream was opened anew, because a nudge
 * may have been missed before. Goes on until `signal` aborts or nobody is signed in any more.
 */
export async function onNudges(look: () => void, signal: AbortSignal): Promise<void> {
  let bound = firstPauseMs;
  while (!signal.aborted) {
    const begunAt = performance.now();
    try {
      await read(look, signal);
    } catch (error) {
      if (error instanceof SignedOut) return;
      // Anything else is a lost connection.
    }
    if (performance.now() - begunAt > goodMs) bound = firstPauseMs;
    await new Promise((resolve) => setTimeout(resolve, Math.random() * bound));
    bound = Math.min(bound * 2, longestPauseMs);
  }
}

/** One stream, until its token ends. `EventSource` cannot send the headers that prove who asks. */
async function read(look: () => void, signal: AbortSignal): Promise<void> {
  const url = `${location.origin}/nudge`;
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), silenceMs);
  try {
    const response = await fetch(url, { headers: await authorization('GET', url), signal: AbortSignal.any([signal, silent.signal]) });
    if (response.status === 401) refused();
    if (!response.ok || response.body === null) throw new Error(`The server answered ${response.status}.`);
    look();
    let unread = '';
    for await (const text of texts(response.body)) {
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), silenceMs);
      const events = (unread + text).split('\n\n');
      unread = events.pop() ?? '';
      if (events.some((event) => event.startsWith('event: nudge'))) look();
    }
  } finally {
    clearTimeout(timer);
  }
}

async function* texts(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream() as never).getReader() as ReadableStreamDefaultReader<string>;
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
}
