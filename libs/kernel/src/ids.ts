import { v7, validate, version } from 'uuid';

/** A UUIDv7 in its canonical lower-case form: opaque to clients, ordered by time for the database (RFC 9562 §5.7). */
export type Id = string;

/** Makes a new UUIDv7. */
export function newId(): Id {
  return v7();
}

/** True for the canonical lower-case form of a UUIDv7; anything else, other UUID versions included, is not an id of ours. */
export function isId(value: unknown): value is Id {
  return typeof value === 'string' && value === value.toLowerCase() && validate(value) && version(value) === 7;
}

/** The instant that a UUIDv7 carries in its first 48 bits (milliseconds since the epoch, RFC 9562 §5.7). */
export function idTime(id: Id): Date {
  return new Date(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16));
}
