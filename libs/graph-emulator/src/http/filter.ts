import { GraphError } from './answer.ts';

// $filter as far as the directory's endpoints need it (OData 4.01 §5.1.1): comparisons, in, startswith, and, or, not, brackets.

type Test = (thing: Record<string, unknown>) => boolean;

const token = /\s*(?:(?<string>'(?:[^']|'')*')|(?<mark>[(),])|(?<word>[^\s(),']+))/y;

/** Reads a $filter. Operators that only the advanced query engine has demand `advanced` (ConsistencyLevel: eventual and $count). */
export function readFilter(source: string, filterable: readonly string[], advanced: boolean): Test {
  const tokens = tokensOf(source);
  let at = 0;
  const next = () => tokens[at++] ?? fail();
  const expectMark = (mark: string) => {
    if (next() !== mark) fail();
  };

  function any(): Test {
    let left = all();
    while (tokens[at] === 'or') {
      at += 1;
      const [before, right] = [left, all()];
      left = (thing) => before(thing) || right(thing);
    }
    return left;
  }
  function all(): Test {
    let left = one();
    while (tokens[at] === 'and') {
      at += 1;
      const [before, right] = [left, one()];
      left = (thing) => before(thing) && right(thing);
    }
    return left;
  }
  function one(): Test {
    const word = next();
    if (word === '(') {
      const inner = any();
      expectMark(')');
      return inner;
    }
    if (word === 'not') {
      demandAdvanced('not');
      const inner = one();
      return (thing) => !inner(thing);
    }
    if (/^(startswith|endswith)$/i.test(word)) {
      if (word.toLowerCase() === 'endswith') demandAdvanced(word);
      expectMark('(');
      const property = known(next());
      expectMark(',');
      const part = String(literal(next())).toLowerCase();
      expectMark(')');
      const starts = word.toLowerCase() === 'startswith';
      return (thing) => {
        const value = String(thing[property] ?? '').toLowerCase();
        return starts ? value.startsWith(part) : value.endsWith(part);
      };
    }
    return comparison(known(word), next());
  }
  function comparison(property: string, operator: string): Test {
    if (operator === 'in') {
      expectMark('(');
      const values = [literal(next())];
      while (tokens[at] === ',') {
        at += 1;
        values.push(literal(next()));
      }
      expectMark(')');
      if (values.length > 15)
        throw unsupported(
          `Too many child clauses specified in search filter expression containing 'OR' operators: ${values.length}. Max allowed: 15.`,
        );
      return (thing) => values.some((value) => same(thing[property] ?? null, value));
    }
    const value = literal(next());
    if (operator === 'ne') demandAdvanced('ne');
    switch (operator) {
      case 'eq':
        return (thing) => same(thing[property] ?? null, value);
      case 'ne':
        return (thing) => !same(thing[property] ?? null, value);
      case 'ge':
        return (thing) => String(thing[property] ?? '') >= String(value);
      case 'le':
        return (thing) => String(thing[property] ?? '') <= String(value);
      default:
        return fail();
    }
  }
  function known(property: string): string {
    if (filterable.includes(property)) return property;
    throw unsupported(`Unsupported or invalid query filter clause specified for property '${property}' of resource.`);
  }
  function demandAdvanced(operator: string): void {
    if (!advanced)
      throw unsupported(
        `Operator '${operator}' is not supported because the 'ConsistencyLevel:eventual' header and $count=true are missing.`,
      );
  }

  const test = any();
  if (at !== tokens.length) fail();
  return test;
}

function tokensOf(source: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < source.trimEnd().length) {
    const match = token.exec(source);
    if (match === null) return fail();
    tokens.push(match[0].trim());
  }
  return tokens;
}

function literal(word: string): string | boolean | null {
  if (word.startsWith("'")) return word.slice(1, -1).replaceAll("''", "'");
  if (word === 'true' || word === 'false') return word === 'true';
  return word === 'null' ? null : word;
}

/** Strings of the directory are compared without regard to case. */
function same(left: unknown, right: unknown): boolean {
  return typeof left === 'string' && typeof right === 'string' ? left.toLowerCase() === right.toLowerCase() : left === right;
}

const unsupported = (message: string) => new GraphError(400, 'Request_UnsupportedQuery', message);

function fail(): never {
  throw new GraphError(400, 'BadRequest', 'Invalid filter clause: the expression cannot be read.');
}
