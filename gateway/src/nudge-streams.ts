import type { ServerResponse } from 'node:http';
import type { Clock } from '@stint/kernel';

/** Where hints come from: a message's body is a device's id, or whose credential was revoked. `Broadcast` of @stint/messaging is one. */
export interface HintSource {
  subscribe(topic: 'device-nudge' | 'credential-revoked', receive: (body: string) => void): () => void;
}

interface Stream {
  response: ServerResponse;
  deviceId: string;
  endsAt: number;
}

/** Each stream gets a comment once in so many seconds: proxies keep it open, and both ends notice a dead connection. */
export const heartbeatSeconds = 15;
const maxStreams = 60_000;
/** A second one while the first has not been noticed as dead; more would be an attempt to tie up the gateway. */
const maxPerDevice = 2;
/** A reader that lets this much pile up is gone. */
const maxUnreadBytes = 16 * 1024;

/** The open nudge streams of all devices. A stream ends when the token that opened it does. */
export class NudgeStreams {
  readonly #byDevice = new Map<string, Stream[]>();
  // One slot per second of the heartbeat's round, so that 50,000 streams are not all written to at once.
  readonly #slots: Set<Stream>[] = Array.from({ length: heartbeatSeconds }, () => new Set());
  readonly #clock: Clock;
  readonly #unsubscribe: () => void;
  readonly #stopTicking: () => void;
  #slot = 0;
  #count = 0;

  constructor(source: HintSource, clock: Clock, everySecond: (tick: () => void) => () => void = ticking) {
    this.#clock = clock;
    this.#unsubscribe = source.subscribe('device-nudge', (deviceId) => this.#nudge(deviceId));
    this.#stopTicking = everySecond(() => this.#beat());
  }

  get count(): number {
    return this.#count;
  }

  /** Takes over an answered request's connection; false when there are too many. */
  open(deviceId: string, response: ServerResponse, endsAt: number): boolean {
    if (this.#count >= maxStreams) return false;
    const stream = { response, deviceId, endsAt };
    const streams = this.#byDevice.get(deviceId) ?? [];
    if (streams.length >= maxPerDevice && streams[0]) this.#end(streams[0]);
    this.#byDevice.set(deviceId, [...(this.#byDevice.get(deviceId) ?? []), stream]);
    const slot = this.#slots[this.#count % heartbeatSeconds];
    slot?.add(stream);
    this.#count++;
    response.on('close', () => {
      if (!slot?.delete(stream)) return;
      this.#count--;
      const left = (this.#byDevice.get(deviceId) ?? []).filter((other) => other !== stream);
      if (left.length > 0) this.#byDevice.set(deviceId, left);
      else this.#byDevice.delete(deviceId);
    });
    response.socket?.setTimeout(0);
    response.socket?.setNoDelay(true);
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.write(': open\n\n');
    return true;
  }

  /** Ends a device's streams: it has to prove itself anew. */
  cut(deviceId: string): void {
    for (const stream of this.#byDevice.get(deviceId) ?? []) this.#end(stream);
  }

  close(): void {
    this.#stopTicking();
    this.#unsubscribe();
    for (const slot of this.#slots) for (const stream of slot) this.#end(stream);
  }

  #nudge(deviceId: string): void {
    for (const stream of this.#byDevice.get(deviceId) ?? []) this.#write(stream, 'event: nudge\ndata: {}\n\n');
  }

  #beat(): void {
    const now = this.#clock.now().getTime();
    this.#slot = (this.#slot + 1) % heartbeatSeconds;
    for (const stream of this.#slots[this.#slot] ?? []) {
      if (now >= stream.endsAt) this.#end(stream);
      else this.#write(stream, ':\n\n');
    }
  }

  #write(stream: Stream, text: string): void {
    if (stream.response.writableLength > maxUnreadBytes) stream.response.destroy();
    else stream.response.write(text);
  }

  /** Tells the device to open the next stream at once, with a new token. */
  #end(stream: Stream): void {
    stream.response.end('event: renew\ndata: {}\n\n');
  }
}

function ticking(tick: () => void): () => void {
  const timer = setInterval(tick, 1000);
  timer.unref();
  return () => clearInterval(timer);
}
