import { describe, expect, test } from '@jest/globals';
import { renderFields, renderTable, type Cell, type Column } from './table.ts';
import { columnsOf, visible, visibleLines } from './text.ts';
import { duration, instant, words, yesNo } from './values.ts';

type Row = readonly Cell[];
const columns = (...titles: string[]): Column<Row>[] => titles.map((title, index) => ({ title, show: (row) => row[index] ?? '' }));

describe('a table', () => {
  test.each<[string, Row[], string]>([
    ['only the heading where there are no rows', [], 'ID  NAME\n'],
    [
      'columns as wide as their widest value',
      [
        ['1', 'Contoso'],
        ['22222', 'A'],
      ],
      'ID     NAME\n1      Contoso\n22222  A\n',
    ],
    [
      'no trailing spaces for empty values',
      [
        ['1', ''],
        ['', 'A'],
      ],
      'ID  NAME\n1\n    A\n',
    ],
    [
      'wide characters as two columns',
      [
        ['東京', 'x'],
        ['ab', 'y'],
      ],
      'ID    NAME\n東京  x\nab    y\n',
    ],
    [
      'marks as none',
      [
        ['e\u0301', 'x'],
        ['ab', 'y'],
      ],
      'ID  NAME\ne\u0301   x\nab  y\n',
    ],
    ['one line per row, whatever a value contains', [['1', 'a\nb\tc']], 'ID  NAME\n1   a<U+000A>b<U+0009>c\n'],
    ['no escape sequence of a value', [['1', '\u001b[2J\u009b1m']], 'ID  NAME\n1   <U+001B>[2J<U+009B>1m\n'],
    ['no character that turns the line around or hides', [['1', 'a\u202eb\u200bc']], 'ID  NAME\n1   a<U+202E>b<U+200B>c\n'],
  ])('has %s', (_what, rows, expected) => {
    expect(renderTable(columns('ID', 'NAME'), rows, false)).toBe(expected);
  });

  test('paints tones without changing the alignment', () => {
    const rows: Row[] = [
      [{ text: 'on', tone: 'good' }, 'x'],
      ['invited', 'y'],
    ];
    const painted = renderTable(columns('STATE', 'NAME'), rows, true);
    expect(painted).toContain('\u001b[32mon\u001b[0m       x');
    expect(painted.replaceAll(/\u001b\[\d+m/g, '')).toBe(renderTable(columns('STATE', 'NAME'), rows, false));
  });

  test('has no tones without colours', () => {
    expect(renderTable(columns('STATE'), [[{ text: 'on', tone: 'good' }]], false)).toBe('STATE\non\n');
  });
});

describe('fields', () => {
  test('stand one below the other, without those that have no value', () => {
    expect(
      renderFields(
        [
          ['id', '1'],
          ['name', ''],
          ['account', { text: 'jit-anna', tone: 'good' }],
        ],
        false,
      ),
    ).toBe('id       1\naccount  jit-anna\n');
  });
});

describe('text', () => {
  test.each([
    ['plain', 'plain'],
    ['Müller & Söhne', 'Müller & Söhne'],
    ['a\rb', 'a<U+000D>b'],
    ['\u{e0041}', '<U+E0041>'],
    ['\ud800', '<U+D800>'],
    ['a\u2028b', 'a<U+2028>b'],
  ])('%j is shown as %j', (text, shown) => expect(visible(text)).toBe(shown));

  test('of several lines keeps its line feeds and nothing else', () => {
    expect(visibleLines('a\nb\u001bc')).toBe('a\nb<U+001B>c');
  });

  test.each([
    ['', 0],
    ['abc', 3],
    ['ü', 1],
    ['한국', 4],
    ['🙂', 2],
  ])('%j takes %d columns', (text, width) => expect(columnsOf(text)).toBe(width));
});

describe('values', () => {
  test.each([
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [3600, '1 h'],
    [5400, '1 h 30 min'],
    [28_800, '8 h'],
    [3661, '1 h 1 min 1 s'],
    [90_000, '1 d 1 h'],
  ])('%d seconds are %s', (seconds, shown) => expect(duration(seconds)).toBe(shown));

  test.each([
    ['2026-11-23T13:18:21.000Z', '2026-11-23 13:18:21Z'],
    ['2026-11-23T13:18:21Z', '2026-11-23 13:18:21Z'],
    [null, ''],
    [undefined, ''],
  ])('the instant %s is shown as %j', (value, shown) => expect(instant(value)).toBe(shown));

  test('enums and switches in words', () => {
    expect([words('DOMAIN_CONTROLLER'), yesNo(true), yesNo(false)]).toEqual(['domain controller', 'yes', 'no']);
  });
});
