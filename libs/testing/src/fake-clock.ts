import { EventEmitter } from 'node:events';
import { systemClock, type Clock } from '@stint/kernel';

const longestPauseMs = 250;

/** A clock that stands still until it is moved. Whoever pauses by it goes on as soon as it is moved, and soon anyhow: no test waits for a sweep. */
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
    const end = () => moved.abort();
    this.#moved.once('moved', end);
    await systemClock.pause(Math.min(ms, longestPauseMs), AbortSignal.any([signal, moved.signal]));
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
