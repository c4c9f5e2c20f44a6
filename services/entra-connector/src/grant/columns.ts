/** The columns of a table and the properties that they are read into. */
export interface Columns<Row> {
  names: { readonly [Property in keyof Row]: string };
  /** For `select` and `returning`. */
  all: string;
}

/** Reads rows straight into the shape of the domain. */
export function columnsOf<Row extends object>(names: { readonly [Property in keyof Row]: string }): Columns<Row> {
  const all = Object.entries<string>(names).map(([property, column]) => `${column} as "${property}"`);
  return { names, all: all.join(', ') };
}

/** What an update sets, its parameters numbered from `first` on. Property names that are none of the table's are refused. */
export function patchOf<Row extends object>(
  columns: Columns<Row>,
  patch: Partial<Row>,
  first: number,
): { sets: string; values: unknown[] } {
  const entries = Object.entries(patch);
  const sets = entries.map(([property], index) => {
    const column = columns.names[property as keyof Row] as string | undefined;
    if (column === undefined) throw new Error(`No column for ${property}.`);
    return `${column} = $${first + index}`;
  });
  return { sets: sets.join(', '), values: entries.map(([, value]) => value) };
}
