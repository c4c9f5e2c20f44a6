import { ProblemError } from './errors.ts';

/**
 * The wanted member of a mutation's result union, typed; throws a `ProblemError` that carries any other member. The
 * document must select `__typename`, and `... on Problem { message }` for a useful message.
 */
export function expectType<Union extends { readonly __typename?: string }, Name extends NonNullable<Union['__typename']>>(
  result: Union,
  name: Name,
): Extract<Union, { readonly __typename?: Name }> {
  if (result.__typename === name) return result as Extract<Union, { readonly __typename?: Name }>;
  const { __typename: type, message, ...fields } = result as { __typename?: string; message?: unknown };
  if (type === undefined) throw new TypeError(`The document must select __typename where ${name} is expected.`);
  throw new ProblemError(type, typeof message === 'string' ? message : `The answer was ${type}, not ${name}.`, fields);
}
