import type { Failure } from './failure.ts';
import type { Io } from './io.ts';
import type { Page } from './paging.ts';
import { paint, renderFields, renderTable, type Column, type Field } from './render/table.ts';
import { visibleLines } from './render/text.ts';

/** What a command tells: tables and sentences for people on stdout, or one JSON value with `--json`; notes and failures on stderr. */
export class Output {
  readonly json: boolean;
  readonly #io: Io;

  constructor(io: Io, options: { json: boolean }) {
    this.#io = io;
    this.json = options.json;
  }

  /** True where stdout shows colours: a terminal, and nobody asked for none (https://no-color.org). */
  get colours(): boolean {
    return this.#io.stdout.isTTY === true && !this.#io.env['NO_COLOR'] && this.#io.env['TERM'] !== 'dumb';
  }

  /** A list. As JSON `{"items": […], "more": true|false}`. */
  list<Item>(page: Page<Item>, columns: readonly Column<Item>[], empty: string, ifMore?: string): void {
    if (this.json) this.#printJson({ items: page.items, more: page.more });
    else this.rows(page, columns, empty, ifMore);
  }

  /** The rows of a list that stands below something else, only for people. */
  rows<Item>(
    page: Page<Item>,
    columns: readonly Column<Item>[],
    empty: string,
    ifMore = 'There are more rows. Pass --all, or a larger --limit, to see them.',
  ): void {
    if (this.json) return;
    if (page.items.length === 0) this.note(empty);
    else this.#io.stdout.write(renderTable(columns, page.items, this.colours));
    if (page.more) this.note(ifMore);
  }

  /** One thing, after the sentence that says what happened to it (if anything did). As JSON the value itself. */
  thing(value: unknown, fields: readonly Field[], sentence?: string): void {
    if (this.json) return this.#printJson(value);
    if (sentence !== undefined) this.#io.stdout.write(`${paint(visibleLines(sentence), 'good', this.colours)}\n`);
    this.#io.stdout.write(renderFields(fields, this.colours));
  }

  /** Text as it is, only for people. */
  block(text: string): void {
    if (!this.json) this.#io.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** The same on stderr: what to know before a question is answered. */
  beforeQuestion(fields: readonly Field[]): void {
    this.#io.stderr.write(renderFields(fields, this.#stderrColours));
  }

  /** The rows of a table that stands below that. */
  rowsBeforeQuestion<Item>(columns: readonly Column<Item>[], items: readonly Item[]): void {
    this.#io.stderr.write(`\n${renderTable(columns, items, this.#stderrColours)}\n`);
  }

  /** A remark to people that is not part of the result. */
  note(text: string): void {
    if (this.json) return;
    this.#io.stderr.write(`${paint(visibleLines(text), 'quiet', this.#stderrColours)}\n`);
  }

  /** Why the command failed. With `--json`, `{"error": {"type", "message", …}}`. */
  failure({ type, message, advice, fields }: Failure): void {
    if (this.json) {
      this.#io.stderr.write(`${JSON.stringify({ error: { ...fields, type, message, ...(advice === undefined ? {} : { advice }) } })}\n`);
      return;
    }
    this.#io.stderr.write(`${paint('stint:', 'bad', this.#stderrColours)} ${visibleLines(message)}\n`);
    if (advice !== undefined) this.#io.stderr.write(`${visibleLines(advice)}\n`);
  }

  get #stderrColours(): boolean {
    return this.#io.stderr.isTTY === true && !this.#io.env['NO_COLOR'] && this.#io.env['TERM'] !== 'dumb';
  }

  #printJson(value: unknown): void {
    this.#io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }
}
