import { createHmac } from 'node:crypto';
import type { AuditEvent } from '@stint/contracts';
import type { Id } from '@stint/kernel';

/** An event in its tenant's chain. */
export interface ChainedEvent extends AuditEvent {
  sequence: number;
  hash: Buffer;
}

/** The event before the first one that is still there: the last that was removed by retention. */
export interface ChainAnchor {
  sequence: number;
  hash: Buffer;
  /** Null while nothing was removed. */
  mac: Buffer | null;
}

/** Where a chain ends, and where it begins. */
export interface ChainHead {
  sequence: number;
  hash: Buffer;
  mac: Buffer;
  anchor: ChainAnchor;
}

/** What recomputing a chain gave. */
export interface Verification {
  intact: boolean;
  events: number;
  brokenAt: number | null;
  /** The number of the first event that is kept. */
  firstSequence: number;
  head: string | null;
}

/** The hash before the first event. */
export const genesis = Buffer.alloc(32);
/** The anchor of a chain of which nothing was removed. */
export const noAnchor: ChainAnchor = { sequence: 0, hash: genesis, mac: null };

/** The hash of an event at its place: HMAC-SHA-256 over the hash before it and every field in a fixed order. */
export function chainHash(key: Buffer, previous: Buffer, sequence: number, event: AuditEvent): Buffer {
  const details = Object.entries(event.details).sort(([a], [b]) => (a < b ? -1 : 1));
  const place = [event.mspId, event.tenantId, sequence, event.eventId, event.occurredAt];
  const fields = [...place, event.actorKind, event.actorId, event.action, event.subjectId, details];
  return createHmac('sha256', key).update('stint-audit-event-v1\n').update(previous).update(JSON.stringify(fields)).digest();
}

/** An instant as it is hashed: whatever precision a producer writes, the log keeps milliseconds. */
export function hashedInstant(occurredAt: string): string {
  return new Date(occurredAt).toISOString();
}

// What has been tampered with need not have an event's shape, and must be found rather than stop the check.
function isFacts(details: unknown): boolean {
  return typeof details === 'object' && details !== null && !Array.isArray(details);
}

/** Binds a chain's end to its tenant, so that it can be neither shortened nor exchanged. */
export function headMac(key: Buffer, tenantId: Id, sequence: number, hash: Buffer): Buffer {
  return createHmac('sha256', key)
    .update('stint-audit-head-v1\n')
    .update(JSON.stringify([tenantId, sequence, hash.toString('hex')]))
    .digest();
}

/** Binds a chain's new beginning to its tenant, so that no event is removed otherwise than by the service. */
export function anchorMac(key: Buffer, tenantId: Id, sequence: number, hash: Buffer): Buffer {
  return createHmac('sha256', key)
    .update('stint-audit-anchor-v1\n')
    .update(JSON.stringify([tenantId, sequence, hash.toString('hex')]))
    .digest();
}

function anchorHolds(key: Buffer, tenantId: Id, { sequence, hash, mac }: ChainAnchor): boolean {
  if (mac === null) return sequence === 0 && hash.equals(genesis);
  return sequence > 0 && anchorMac(key, tenantId, sequence, hash).equals(mac);
}

/** The events at the chain's beginning that all happened before `before`: what may be removed without a gap. */
export function outlived(events: readonly ChainedEvent[], before: Date): ChainedEvent[] {
  const kept = events.findIndex((event) => !(Date.parse(event.occurredAt) < before.getTime()));
  return events.slice(0, kept === -1 ? undefined : kept);
}

/** Follows a chain event by event and remembers the first place at which it does not hold. */
export class ChainCheck {
  readonly #key: Buffer;
  readonly #tenantId: Id;
  readonly #firstSequence: number;
  #previous: Buffer;
  #sequence: number;
  #brokenAt: number | null;

  /** Begins after the anchor. With one that was tampered with the whole chain is broken, from 1. */
  constructor(key: Buffer, tenantId: Id, anchor: ChainAnchor) {
    const holds = anchorHolds(key, tenantId, anchor);
    this.#key = key;
    this.#tenantId = tenantId;
    this.#sequence = holds ? anchor.sequence : 0;
    this.#firstSequence = this.#sequence + 1;
    this.#previous = anchor.hash;
    this.#brokenAt = holds ? null : 1;
  }

  /** How far the chain holds. */
  get sequence(): number {
    return this.#sequence;
  }

  get broken(): boolean {
    return this.#brokenAt !== null;
  }

  /** Takes the next event in order of sequence; nothing more is looked at after the first break. */
  next(event: ChainedEvent): void {
    if (this.broken) return;
    const sequence = this.#sequence + 1;
    const holds =
      event.sequence === sequence && isFacts(event.details) && chainHash(this.#key, this.#previous, sequence, event).equals(event.hash);
    if (!holds) {
      this.#brokenAt = sequence;
      return;
    }
    this.#previous = event.hash;
    this.#sequence = sequence;
  }

  /** The end: does the chain reach just as far as its head says? */
  end(head: ChainHead | null, events: number): Verification {
    const empty = head === null && events === 0;
    const reaches =
      head?.sequence === this.#sequence &&
      head.hash.equals(this.#previous) &&
      headMac(this.#key, this.#tenantId, head.sequence, head.hash).equals(head.mac);
    const brokenAt = this.#brokenAt ?? (empty || reaches ? null : this.#sequence + 1);
    const headHash = head === null ? null : head.hash.toString('hex');
    return { intact: brokenAt === null, events, brokenAt, firstSequence: this.#firstSequence, head: headHash };
  }
}
