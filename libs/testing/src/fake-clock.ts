import { EventEmitter } from 'node:events';
import { systemClock, type Clock } from '@stint/kernel';

const shortMs = 10_000;
const longestWaitMs = 500;

/**
 * A clock that stands still until it is moved. No test waits for a sweep: a pause of seconds ends as soon as the clock is moved,
 * and soon anyhow; a longer one ends when the clock has been moved by as much.
 */
export class FakeClock implements Clock {
  readonly #moved = new EventEmitter().setMaxListeners(0);
  #now: number;

  constructor(start: Date = new Date('2026-11-23T12:00:00Z')) {
    this.#now = start.getTime();
  }

  now(): Date {
    return new Date(this.#now);
  }

  async pause(ms: number, signal: AbortSignal): Promise<void> {
    const moved = new AbortController();
    const isShort = ms <= shortMs;
    const until = this.#now + ms;
    const end = () => {
      if (isShort || this.#now >= until) moved.abort();
    };
    this.#moved.on('moved', end);
    await systemClock.pause(isShort ? Math.min(ms, longestWaitMs) : ms, AbortSignal.any([signal, moved.signal]));
    this.#moved.off('moved', end);
  }

  advance(seconds: number): void {
    this.set(new Date(this.#now + seconds * 1000));
  }

  set(at: Date): void {
    this.#now = at.getTime();
    this.#moved.emit('moved');
  }
}
