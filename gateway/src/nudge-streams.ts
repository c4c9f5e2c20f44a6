import type { ServerResponse } from 'node:http';
import type { Clock } from '@stint/kernel';

/** Where hints come from: a message's body is a device's or technician's id, or what was revoked. `Broadcast` of @stint/messaging is one. */
export interface HintSource {
  subscribe(topic: 'device-nudge' | 'technician-nudge' | 'credential-revoked', receive: (body: string) => void): () => void;
}

/** Who listens, and until when (epoch milliseconds) that is proved. */
export interface Listener {
  /** A device's or technician's id. */
  id: string;
  /** As in `Revocations`. */
  sessionSubject?: string;
  endsAt: number;
}

interface Stream extends Listener {
  response: ServerResponse;
}

/** Each stream gets a comment once in so many seconds: proxies keep it open, and both ends notice a dead connection. */
export const heartbeatSeconds = 15;
const maxStreams = 60_000;
/** A second one while the first has not been noticed as dead; more would be an attempt to tie up the gateway. */
const maxPerDevice = 2;
/** A person has several windows and devices. */
const maxPerSession = 4;
const maxPerTechnician = 20;
/** A reader that lets this much pile up is gone. */
const maxUnreadBytes = 16 * 1024;

/** The open nudge streams of all devices and of technicians' open apps. A stream ends when the token that opened it does. */
export class NudgeStreams {
  readonly #byId = new Map<string, Stream[]>();
  // One slot per second of the heartbeat's round, so that 50,000 streams are not all written to at once.
  readonly #slots: Set<Stream>[] = Array.from({ length: heartbeatSeconds }, () => new Set());
  readonly #clock: Clock;
  readonly #unsubscribe: readonly (() => void)[];
  readonly #stopTicking: () => void;
  #slot = 0;
  #count = 0;

  constructor(source: HintSource, clock: Clock, everySecond: (tick: () => void) => () => void = ticking) {
    this.#clock = clock;
    this.#unsubscribe = (['device-nudge', 'technician-nudge'] as const).map((topic) => source.subscribe(topic, (id) => this.#nudge(id)));
    this.#stopTicking = everySecond(() => this.#beat());
  }

  get count(): number {
    return this.#count;
  }

  /** Takes over an answered request's connection; false when there are too many. */
  open(listener: Listener, response: ServerResponse): boolean {
    if (this.#count >= maxStreams) return false;
    const { id } = listener;
    const stream = { ...listener, response };
    this.#makeRoom(listener);
    this.#byId.set(id, [...(this.#byId.get(id) ?? []), stream]);
    const slot = this.#slots[this.#count % heartbeatSeconds];
    slot?.add(stream);
    this.#count++;
    response.on('close', () => {
      if (!slot?.delete(stream)) return;
      this.#count--;
      const left = (this.#byId.get(id) ?? []).filter((other) => other !== stream);
      if (left.length > 0) this.#byId.set(id, left);
      else this.#byId.delete(id);
    });
    response.socket?.setTimeout(0);
    response.socket?.setNoDelay(true);
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.write(': open\n\n');
    return true;
  }

  /** Ends the streams of a device, technician or session: they have to prove themselves anew. */
  cut(subject: string): void {
    for (const stream of this.#byId.get(subject) ?? []) this.#end(stream);
    if (!subject.startsWith('session:')) return;
    for (const slot of this.#slots) for (const stream of slot) if (stream.sessionSubject === subject) this.#end(stream);
  }

  close(): void {
    this.#stopTicking();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const slot of this.#slots) for (const stream of slot) this.#end(stream);
  }

  /** The oldest stream of a listener with too many ends. */
  #makeRoom({ id, sessionSubject }: Listener): void {
    const streams = this.#byId.get(id) ?? [];
    const ofSession = streams.filter((stream) => stream.sessionSubject === sessionSubject);
    const [oldestOfSession] = ofSession;
    const [oldest] = streams;
    if (oldestOfSession && ofSession.length >= (sessionSubject === undefined ? maxPerDevice : maxPerSession)) this.#end(oldestOfSession);
    else if (oldest && streams.length >= maxPerTechnician) this.#end(oldest);
  }

  #nudge(id: string): void {
    for (const stream of this.#byId.get(id) ?? []) this.#write(stream, 'event: nudge\ndata: {}\n\n');
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

  /** Tells the client to open the next stream at once, with a new token. */
  #end(stream: Stream): void {
    stream.response.end('event: renew\ndata: {}\n\n');
  }
}

function ticking(tick: () => void): () => void {
  const timer = setInterval(tick, 1000);
  timer.unref();
  return () => clearInterval(timer);
}
