import { columnsOf, visible } from './text.ts';

/** How a value is meant: coloured where colours are on, plain text otherwise. */
export type Tone = 'good' | 'warning' | 'bad' | 'quiet' | 'heading';
/** One value in a table. */
export type Cell = string | { text: string; tone: Tone };
/** A column of a list: its title and what it shows of an item. */
export interface Column<Item> {
  title: string;
  show: (item: Item) => Cell;
}
/** One line of a single thing: label and value. */
export type Field = readonly [label: string, value: Cell];

const codes: Readonly<Record<Tone, string>> = { good: '32', warning: '33', bad: '31', quiet: '2', heading: '1' };

/** The text in its tone (ANSI SGR) where colours are on. */
export function paint(text: string, tone: Tone | undefined, colours: boolean): string {
  return colours && tone !== undefined && text !== '' ? `\u001b[${codes[tone]}m${text}\u001b[0m` : text;
}

/** Items as aligned columns with a heading; one line per item, no trailing spaces. Ends with a line feed. */
export function renderTable<Item>(columns: readonly Column<Item>[], items: readonly Item[], colours: boolean): string {
  const heading = columns.map(({ title }): Cell => ({ text: title, tone: 'heading' }));
  return alignRows([heading, ...items.map((item) => columns.map(({ show }) => show(item)))], colours);
}

/** One thing as `label  value` lines; fields without a value are left out. */
export function renderFields(fields: readonly Field[], colours: boolean): string {
  const rows = fields.filter(([, value]) => textOf(value) !== '').map(([label, value]): Cell[] => [{ text: label, tone: 'quiet' }, value]);
  return alignRows(rows, colours);
}

function alignRows(rows: readonly (readonly Cell[])[], colours: boolean): string {
  const cells = rows.map((row) =>
    row.map((cell) => ({ text: visible(textOf(cell)), tone: typeof cell === 'string' ? undefined : cell.tone })),
  );
  const widths: number[] = [];
  for (const row of cells) row.forEach(({ text }, index) => (widths[index] = Math.max(widths[index] ?? 0, columnsOf(text))));
  return cells
    .map((row) => {
      const last = row.findLastIndex(({ text }) => text !== '');
      const line = row.slice(0, last + 1).map(({ text, tone }, index) => {
        const padding = index === last ? '' : ' '.repeat((widths[index] ?? 0) - columnsOf(text) + 2);
        return paint(text, tone, colours) + padding;
      });
      return `${line.join('')}\n`;
    })
    .join('');
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}
