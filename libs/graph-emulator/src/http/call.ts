import type { AppState, TenantState } from '../state/state.ts';
import type { Store } from '../state/store.ts';
import { badRequest, type Answer } from './answer.ts';

/** One authorized call of Graph, on its way to a handler. */
export interface Call {
  store: Store;
  tenant: TenantState;
  app: AppState;
  /** What the access token allows: as it was when the token was made. */
  permissions: readonly string[];
  /** Objects on a page where the caller does not say. */
  pageSize: number;
  /** Address of Graph itself, up to and with /v1.0. */
  root: string;
  method: string;
  /** Path below /v1.0, decoded. */
  path: string;
  params: Record<string, string>;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: unknown;
}

/** An endpoint. Any of `permissions` opens it; `cost` is in resource units. */
export interface Route {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path below /v1.0, `{name}` for a parameter. */
  pattern: string;
  permissions: readonly string[];
  cost?: number;
  handle: (call: Call) => Answer;
}

/** The body as an object; anything else is refused as Graph refuses it. */
export function bodyOf(call: Call): Record<string, unknown> {
  if (typeof call.body !== 'object' || call.body === null || Array.isArray(call.body)) {
    throw badRequest('Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.');
  }
  return call.body as Record<string, unknown>;
}

/** A property of the body that must be a string where it is given. */
export function stringOf(body: Record<string, unknown>, property: string): string | null {
  const value = body[property] ?? null;
  if (value !== null && typeof value !== 'string') throw invalidValue(property);
  return value;
}

/** A property of the body that must be a boolean where it is given. */
export function booleanOf(body: Record<string, unknown>, property: string): boolean | null {
  const value = body[property] ?? null;
  if (value !== null && typeof value !== 'boolean') throw invalidValue(property);
  return value;
}

export const invalidValue = (property: string) =>
  badRequest(`Invalid value specified for property '${property}' of resource.`, { target: property, detail: 'InvalidValue' });

/** Finds the route of a path, and what stands in its place holders. */
export function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { route: Route; params: Record<string, string> } | 'METHOD' | null {
  let known = false;
  for (const route of routes) {
    const match = patternOf(route.pattern).exec(path);
    if (match === null) continue;
    if (route.method === method) return { route, params: { ...match.groups } };
    known = true;
  }
  return known ? 'METHOD' : null;
}

const patterns = new Map<string, RegExp>();

function patternOf(pattern: string): RegExp {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  const source = pattern.replace(/[.()$]/g, '\\$&').replace(/\{(\w+)\}/g, "(?<$1>[^/']+)");
  const made = new RegExp(`^${source}$`);
  patterns.set(pattern, made);
  return made;
}
