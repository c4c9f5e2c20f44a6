import { createHash, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { addSeconds, type Clock } from '@stint/kernel';
import type { State, TenantState, UserState } from './state.ts';

/** How long, or for how many reads, what was written is not seen by those who read it. Both nought: at once. */
export interface Consistency {
  /** Longest delay in seconds; each object gets between half and all of it. */
  seconds: number;
  /** How many reads of an object miss a write. */
  reads: number;
  /** Same seed, same delays. */
  seed: string;
}

/** The state, the clock, and how soon writes are seen. */
export class Store {
  readonly state: State;
  readonly clock: Clock;
  consistency: Consistency;
  readonly #file: string | null;
  #written = '';

  constructor(options: { clock: Clock; file: string | null; consistency: Consistency }) {
    this.clock = options.clock;
    this.consistency = options.consistency;
    this.#file = options.file;
    this.state =
      options.file !== null && existsSync(options.file)
        ? (JSON.parse(readFileSync(options.file, 'utf8')) as State)
        : { version: 1, tokenKey: randomBytes(32).toString('base64url'), chances: 0, tenants: [] };
  }

  now(): Date {
    return this.clock.now();
  }

  nowIso(): string {
    return iso(this.now());
  }

  /** Writes beside the file and renames: a process that dies leaves the old state or the new one. */
  save(): void {
    if (this.#file === null) return;
    const text = JSON.stringify(this.state);
    if (text === this.#written) return;
    const next = `${this.#file}.next`;
    const handle = openSync(next, 'w', 0o600);
    writeSync(handle, text);
    fsyncSync(handle);
    closeSync(handle);
    renameSync(next, this.#file);
    this.#written = text;
  }

  /** A number from 0 to below 1 that follows from the seed and how many were drawn before. */
  chance(): number {
    this.state.chances += 1;
    return createHash('sha256').update(`${this.consistency.seed}:${this.state.chances}`).digest().readUInt32BE(0) / 2 ** 32;
  }

  /** Reads of the object answer `before` for a while (null: it is not there). */
  unsettle(tenant: TenantState, id: string, before: unknown): void {
    const { seconds, reads } = this.consistency;
    if (seconds === 0 && reads === 0) return;
    const until = iso(addSeconds(this.now(), seconds * (0.5 + this.chance() / 2)));
    // What was not settled yet stays hidden as it was: a new object does not appear by being changed.
    tenant.unsettled[id] = {
      until,
      readsLeft: reads,
      before: id in tenant.unsettled ? tenant.unsettled[id]?.before : structuredClone(before),
    };
  }

  /** The object as a read sees it; each look counts. */
  seen<Thing extends { id: string }>(tenant: TenantState, thing: Thing): Thing | null {
    const waiting = this.#waiting(tenant, thing.id);
    if (waiting === undefined) return thing;
    waiting.readsLeft -= 1;
    return waiting.before as Thing | null;
  }

  /** A list as a read sees it: without what is too new, with what has just gone. */
  seenAll<Thing extends { id: string }>(
    tenant: TenantState,
    things: readonly Thing[],
    removed: (before: unknown) => before is Thing,
  ): Thing[] {
    const ids = new Set(things.map(({ id }) => id));
    const gone = Object.keys(tenant.unsettled)
      .filter((id) => !ids.has(id) && removed(tenant.unsettled[id]?.before))
      .flatMap((id) => this.seen(tenant, { id } as Thing) ?? []);
    return [...things.flatMap((thing) => this.seen(tenant, thing) ?? []), ...gone.filter((thing) => removed(thing))];
  }

  #waiting(tenant: TenantState, id: string) {
    const waiting = tenant.unsettled[id];
    if (waiting === undefined) return undefined;
    if (waiting.readsLeft > 0 || new Date(waiting.until) > this.now()) return waiting;
    delete tenant.unsettled[id];
    return undefined;
  }
}

/** Marks these properties of a user or group as changed now, for delta queries. */
export function touch(tenant: TenantState, thing: Pick<UserState, 'changed'>, properties: readonly string[]): void {
  tenant.step += 1;
  for (const property of properties) thing.changed[property] = tenant.step;
}

/** Graph writes instants in UTC without parts of a second that are nought. */
export function iso(at: Date): string {
  return at.toISOString().replace('.000Z', 'Z');
}

export function hash(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
