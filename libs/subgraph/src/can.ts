import { narrowed, permissions, type Permission, type Principal } from '@stint/contracts';
import { Refusal } from '@stint/kernel';
import { may, type RequestContext } from './request-context.ts';

/** Who may call an operation: a permission, or a kind of caller. `anyone` includes callers who are not signed in. */
export type Allowed = Permission | 'device' | 'technician' | 'client' | 'gateway' | 'anyone';

export const canMetadata = 'stint:can';

/**
 * Says who may call a query, mutation or reference resolver: whoever meets one of `allowed`. An app in which one of
 * them has none does not start (`assertEveryOperationHasCan`). Queries and mutations are held by `CanGuard`; Nest runs
 * no guards for reference resolvers, so for them the check is wrapped around the method here. Either way the resolver
 * sees the caller narrowed to the tenants where one of `allowed` is held (`admitted`).
 */
export function Can(...allowed: [Allowed, ...Allowed[]]): MethodDecorator {
  return (_target, _key, descriptor: PropertyDescriptor) => {
    const original = descriptor.value as (...args: unknown[]) => unknown;
    const checked = function (this: unknown, ...args: unknown[]): unknown {
      const context = args[1] as Partial<RequestContext> | undefined;
      if (!isReference(args[0]) || context?.principal === undefined) return original.apply(this, args);
      assertAllowed(context.principal, allowed);
      const principal = admitted(context.principal, allowed);
      return original.apply(this, [args[0], { ...context, principal }, ...args.slice(2)]);
    };
    for (const key of Reflect.getMetadataKeys(original) as unknown[]) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, original), checked);
    }
    Reflect.defineMetadata(canMetadata, allowed, checked);
    descriptor.value = checked;
    return descriptor as never;
  };
}

/** Refuses a caller who meets none of `allowed`. */
export function assertAllowed(principal: Principal, allowed: readonly Allowed[]): void {
  const met = allowed.some((one) => one === 'anyone' || one === principal.kind || may(principal, one as Permission));
  if (met) return;
  if (principal.kind === 'anonymous') throw new Refusal('UNAUTHENTICATED', 'Sign in first.');
  throw new Refusal('FORBIDDEN', `This is for ${allowed.join(' or ')} only.`);
}

/**
 * The caller as far as `allowed` carries: with access only to the tenants where one of the permissions is held. Whoever
 * is let in as the kind of caller that they are keeps all of it.
 */
export function admitted(principal: Principal, allowed: readonly Allowed[]): Principal {
  if (!('access' in principal) || allowed.some((one) => one === 'anyone' || one === principal.kind)) return principal;
  return narrowed(
    principal,
    permissions.filter((permission) => allowed.includes(permission)),
  );
}

function isReference(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '__typename' in value;
}
