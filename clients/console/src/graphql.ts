import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { authorization, refused, SignedOut } from './auth/session.ts';

/** The server refused the request as a whole; `code` is stable. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** Runs one operation as the signed-in person. */
export async function ask<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
  const url = `${location.origin}/graphql`;
  const send = async () => post<Data>(url, document, variables, await authorization('POST', url));
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== 'UNAUTHENTICATED') throw error;
    // The token may have ended on the way: once more with a new one.
    refused();
    return send();
  }
}

/** Runs one operation that needs no sign-in. */
export async function askAnonymously<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
  return post<Data>(`${location.origin}/graphql`, document, variables, {});
}

/** The member of a result union that was hoped for; any other is thrown with its message. */
export function expectType<Union extends { __typename: string }, Name extends Union['__typename']>(
  answer: Union,
  name: Name,
): Extract<Union, { __typename: Name }> {
  if (answer.__typename === name) return answer as Extract<Union, { __typename: Name }>;
  throw new Refused(answer.__typename, (answer as { message?: string }).message ?? 'This did not work.');
}

async function post<Data>(
  url: string,
  document: TypedDocumentNode<Data, never>,
  variables: unknown,
  headers: Record<string, string>,
): Promise<Data> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const { data, errors } = (await response.json()) as Answer<Data>;
  const [first] = errors ?? [];
  if (first !== undefined) throw new Refused(first.extensions?.code ?? 'INTERNAL', first.message);
  if (data == null) throw new SignedOut('The server gave no answer. Try again.');
  return data;
}
