import type { FastifyRequest } from 'fastify';
import type DataLoader from 'dataloader';
import { Refusal } from '@stint/kernel';
import { narrowed, type Actor, type Permission, type Principal } from '@stint/contracts';

/** What a resolver knows of its request: GraphQL's context. */
export interface RequestContext {
  readonly principal: Principal;
  readonly correlationId: string;
  readonly loaders: Map<string, DataLoader<string, unknown>>;
}

/** Carries the verified principal from the HTTP hook to GraphQL's context. */
export interface PrincipalRequest extends FastifyRequest {
  principal?: Principal;
}

/** A loader that lives as long as the request, so that nothing read for one caller is ever shown to another. */
export function perRequest<Value>(context: RequestContext, key: string, make: () => DataLoader<string, Value>): DataLoader<string, Value> {
  const known = context.loaders.get(key) as DataLoader<string, Value> | undefined;
  if (known !== undefined) return known;
  const made = make();
  context.loaders.set(key, made as DataLoader<string, unknown>);
  return made;
}

/** The caller as one who belongs to a tenant; refuses anonymous callers and the gateway itself. */
export function callerActor(principal: Principal): Actor {
  if (principal.kind === 'anonymous') throw new Refusal('UNAUTHENTICATED', 'Sign in first.');
  if (principal.kind === 'gateway') throw new Refusal('FORBIDDEN', 'This is not for the gateway itself.');
  return principal;
}

/** True when the caller holds the permission in any tenant. Devices hold none. */
export function may(principal: Principal, permission: Permission): boolean {
  return 'access' in principal && principal.access.some((entry) => entry.permissions.includes(permission));
}

/** The caller as far as the permission carries; refuses a caller who holds it nowhere. */
export function authorise(principal: Principal, permission: Permission): Actor {
  if (!may(principal, permission)) throw new Refusal('FORBIDDEN', `You need the permission ${permission} for this.`);
  return narrowed(callerActor(principal), [permission]);
}
