import type { NullableOption } from '@microsoft/microsoft-graph-types';
import { DirectoryError } from './directory-error.ts';

/** A string in a `$filter` (OData 4.01, 5.1.1.6.1): in quotes, quotes within doubled. */
export function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** An instant as Graph writes it; null where it is none. */
export function dateOf(value: NullableOption<string> | undefined): Date | null {
  return value === null || value === undefined ? null : new Date(value);
}

/** What Graph always tells; an answer without it is not to be relied on. */
export function required<Value>(value: Value | null | undefined, property: string): Value {
  if (value !== null && value !== undefined) return value;
  throw new DirectoryError({ kind: 'UNAVAILABLE', message: `Microsoft's answer lacks ${property}.`, mayHaveHappened: true });
}
