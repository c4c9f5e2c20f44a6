import type { Exchange } from '../http/exchange.ts';
import { checkQuery } from './check-query.ts';
import { checkValue } from './check-value.ts';
import type { Csdl, TypeRef } from './csdl.ts';
import { resolvePath, type Target } from './resolve-path.ts';

/**
 * Holds a request and its answer to Microsoft's description: path, query options, both bodies. Answers what is wrong, one line
 * each, without any value. Requests to other places than Graph (the token endpoint) pass.
 */
export function validateExchange(csdl: Csdl, exchange: Exchange): string[] {
  const { pathname, searchParams } = new URL(exchange.url, 'http://graph.invalid');
  if (!pathname.startsWith('/v1.0/')) return [];
  const path = pathname.slice('/v1.0'.length);
  const named = (problems: string[]) => problems.map((problem) => `${exchange.method} ${path}: ${problem}`);
  if (path === '/$batch') return named(checkBatch(exchange));
  const target = resolvePath(csdl, path);
  if (target.problem !== null) return named([target.problem]);
  return named([
    ...checkMethod(exchange.method, target),
    ...(target.type === null ? [] : checkQuery(csdl, target.type.name, searchParams)),
    ...checkRequestBody(csdl, exchange, target),
    ...checkAnswer(csdl, exchange, target),
  ]);
}

function checkMethod(method: string, { operation, type, reference }: Target): string[] {
  const allowed =
    operation !== null ? [operation.isFunction ? 'GET' : 'POST'] : reference ? ['GET', 'POST', 'PUT', 'DELETE'] : methodsOf(type);
  return allowed.includes(method) ? [] : ['the method does not fit what is there'];
}

const methodsOf = (type: TypeRef | null) => (type?.collection === true ? ['GET', 'POST'] : ['GET', 'PATCH', 'PUT', 'DELETE']);

function checkRequestBody(csdl: Csdl, { method, requestBody: body }: Exchange, { type, operation, reference }: Target): string[] {
  if (method === 'GET' || method === 'DELETE') return body === undefined ? [] : ['there is a body, which this method has not'];
  if (reference) return checkReference(body);
  if (operation !== null) return checkParameters(csdl, operation.parameters, body);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return ['the body is no JSON object'];
  return type === null ? [] : checkValue(csdl, { ...type, collection: false, nullable: false }, body, 'body');
}

function checkReference(body: unknown): string[] {
  const id = (body as Record<string, unknown> | null | undefined)?.['@odata.id'];
  return typeof id === 'string' && URL.canParse(id) ? [] : ['a reference wants an address as @odata.id'];
}

function checkParameters(csdl: Csdl, parameters: ReadonlyMap<string, TypeRef>, body: unknown): string[] {
  return Object.entries((body ?? {}) as Record<string, unknown>).flatMap(([name, value]) => {
    const parameter = parameters.get(name);
    return parameter === undefined ? [`the operation has no parameter "${name}"`] : checkValue(csdl, parameter, value, name);
  });
}

function checkAnswer(csdl: Csdl, { method, status, responseBody: body }: Exchange, { type, operation, reference }: Target): string[] {
  if (status === null) return [];
  if (status >= 400) return checkError(body);
  if (status === 204 || type === null || reference) return body === undefined ? [] : ['the answer has a body where none belongs'];
  if (typeof body !== 'object' || body === null) return ['the answer is no JSON object'];
  // What is made in a collection is answered as one.
  const single = !type.collection || (method === 'POST' && operation === null);
  if (type.name.startsWith('Edm.') && single) return checkValue(csdl, type, (body as { value?: unknown }).value ?? null, 'answer.value');
  return single
    ? checkValue(csdl, { ...type, collection: false, nullable: false }, body, 'answer')
    : checkCollection(csdl, type, body as Record<string, unknown>);
}

const collectionAnnotations = ['@odata.context', '@odata.count', '@odata.nextLink', '@odata.deltaLink'];

function checkCollection(csdl: Csdl, type: TypeRef, body: Record<string, unknown>): string[] {
  const strange = Object.keys(body).filter((name) => name !== 'value' && !collectionAnnotations.includes(name));
  return [...strange.map((name) => `a collection has no "${name}"`), ...checkValue(csdl, type, body['value'] ?? null, 'answer.value')];
}

/** Every error looks the same (Microsoft Graph error responses and resource types). */
function checkError(body: unknown): string[] {
  const error = (body as { error?: { code?: unknown; message?: unknown } } | null | undefined)?.error;
  return typeof error?.code === 'string' && typeof error.message === 'string' ? [] : ['the error has not the shape of an error of Graph'];
}

/** Parts of a batch are exchanges of their own; here only what holds them. */
function checkBatch({ requestBody, status, responseBody }: Exchange): string[] {
  const { requests } = (requestBody ?? {}) as { requests?: { id?: unknown; method?: unknown; url?: unknown }[] };
  if (!Array.isArray(requests)) return ['a batch has a list of requests'];
  const problems = requests.some(({ id, method, url }) => [id, method, url].some((one) => typeof one !== 'string'))
    ? ['id, method and url are strings']
    : [];
  if (requests.length > 20) problems.push('a batch has 20 requests at most');
  if (new Set(requests.map(({ id }) => id)).size !== requests.length) problems.push('ids of a batch are unique');
  if (status !== 200) return problems;
  const { responses } = (responseBody ?? {}) as { responses?: { id: string; status: number }[] };
  const answered = new Set(responses?.map(({ id }) => id));
  return requests.every(({ id }) => answered.has(String(id))) ? problems : [...problems, 'a part of the batch has no answer'];
}
