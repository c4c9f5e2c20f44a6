import { describe, expect, test } from '@jest/globals';
import { buildSchema, parse, validate } from 'graphql';
import { operationLimits, operationLimitsRule } from './operation-limits.ts';

const schema = buildSchema(`
  type Query { node: Node, list(first: Int): Page }
  type Mutation { node: Node }
  type Node { id: ID, node: Node, list(first: Int): Page }
  type Page { rows: [Node] }
`);

const problems = (query: string) => validate(schema, parse(query), [operationLimitsRule]).map(({ message }) => message);
const deep = (levels: number) => `${'node { '.repeat(levels - 1)}id${' }'.repeat(levels - 1)}`;
const list = (first: string, inside = 'id') => `list${first} { rows { ${inside} } }`;

describe('an operation at a limit passes, one beyond it does not', () => {
  test.each([
    ['depth', `{ ${deep(operationLimits.depth)} }`, `{ ${deep(operationLimits.depth + 1)} }`],
    [
      'depth through a fragment',
      `{ ...F } fragment F on Query { ${deep(operationLimits.depth)} }`,
      `{ node { ...F } } fragment F on Node { ${deep(operationLimits.depth)} }`,
    ],
    [
      'depth through an inline fragment',
      `{ ... on Query { ${deep(operationLimits.depth)} } }`,
      `{ ... { ${deep(operationLimits.depth + 1)} } }`,
    ],
    ['fields', `{ ${'node '.repeat(operationLimits.fields)} }`, `{ ${'node '.repeat(operationLimits.fields + 1)} }`],
    ['aliases', `{ ${aliases(operationLimits.aliases)} }`, `{ ${aliases(operationLimits.aliases + 1)} }`],
    [
      'directives',
      `{ node ${'@include(if: true) '.repeat(operationLimits.directives)} { id } }`,
      `query @a { node ${'@include(if: true) '.repeat(operationLimits.directives)} { id } }`,
    ],
    ['rows', `{ ${list('(first: 100)', list('(first: 100)'))} }`, `{ ${list('(first: 100)', list('(first: 100)', list('(first: 2)')))} }`],
    [
      'rows side by side',
      `{ ${list('(first: 100)', list('(first: 50)'))} }`,
      `{ a: ${list('(first: 100)', list('(first: 51)'))} b: ${list('(first: 100)', list('(first: 50)'))} }`,
    ],
    ['rows by default', `{ ${list('', list(''))} }`, `{ ${list('', list('', list('')))} }`],
    [
      'rows by variable',
      `query ($n: Int) { ${list('(first: $n)', list('(first: $n)'))} }`,
      `query ($n: Int) { ${list('(first: $n)', list('(first: $n)', list('(first: 2)')))} }`,
    ],
    [
      'rows beyond what a service allows',
      `{ ${list('(first: 100000000)')} }`,
      `{ ${list('(first: -1)', list('(first: 1000000)', list('(first: 1000000)', list('(first: 1000000)'))))} }`,
    ],
  ])('%s', (_name, within, beyond) => {
    expect(problems(within)).toEqual([]);
    expect(problems(beyond)).toHaveLength(1);
  });
});

function aliases(count: number): string {
  return Array.from({ length: count }, (_, i) => `a${i}: __typename`).join(' ');
}

test('each operation of a document is counted by itself, mutations too', () => {
  expect(problems(`query A { ${deep(operationLimits.depth + 1)} } mutation B { ${deep(operationLimits.depth + 1)} }`)).toHaveLength(2);
});

test('a chain of fragments that doubles at every link is counted, not walked', () => {
  const chain = Array.from({ length: 200 }, (_, i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`).join(' ');
  expect(problems(`{ ...F0 } ${chain} fragment F200 on Query { node { id } }`)).toHaveLength(1);
});

test('fragments in a circle end', () => {
  expect(problems('{ ...A } fragment A on Query { node { id } ...B } fragment B on Query { ...A }')).toEqual([]);
});
