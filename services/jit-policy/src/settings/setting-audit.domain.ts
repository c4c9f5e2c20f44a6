import type { AuditEvent } from '@stint/contracts';
import type { AnyValue, SettingChange } from './settings.domain.ts';

type Details = AuditEvent['details'];

const maxCharacters = 200;
const maxBytes = 2_000;

/** What changed, as the details of as few audit events as hold it: `<setting>.old` and `<setting>.new`, long values cut (the history has them whole). */
export function auditedChanges(changes: readonly SettingChange[]): Details[] {
  const events: Details[] = [];
  let room = 0;
  for (const change of changes) {
    const facts: Details = { [`${change.name}.old`]: fact(change.old), [`${change.name}.new`]: fact(change.new) };
    const bytes = Buffer.byteLength(JSON.stringify(facts));
    if (bytes > room) {
      events.push({});
      room = maxBytes;
    }
    Object.assign(events.at(-1) ?? {}, facts);
    room -= bytes;
  }
  return events;
}

function fact(value: AnyValue | null): Details[string] {
  const plain = typeof value === 'object' && value !== null ? value.join(', ') : value;
  return typeof plain === 'string' && plain.length > maxCharacters ? `${plain.slice(0, maxCharacters - 1).toWellFormed()}…` : plain;
}
