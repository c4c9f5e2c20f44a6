import { DirectoryError } from './directory-error.ts';
import type { EntraDirectory } from './directory.port.ts';

/** What a method of the port does: reads, or changes the user with this object id (null: none that is there yet). */
type Rule<Method> = Method extends (...args: infer Args) => unknown ? 'READS' | ((...args: Args) => string | null) : never;
type Rules<Part> = { readonly [Name in keyof Part]: Rule<Part[Name]> };

type Parts = Omit<EntraDirectory, 'entraTenantId'>;

/** Every method of the port, or it does not compile. */
export const guardRules: { readonly [Part in keyof Parts]: Rules<Parts[Part]> } = {
  users: {
    create: () => null,
    byId: 'READS',
    byName: 'READS',
    byEmail: 'READS',
    byMarker: 'READS',
    byMarkerPrefix: 'READS',
    setEnabled: ({ id }) => id,
    setPassword: ({ id }) => id,
    revokeSessions: ({ id }) => id,
    delete: ({ id }) => id,
    deletedByMarkerPrefix: 'READS',
    deletedById: 'READS',
    restore: (id) => id,
    purge: (id) => id,
  },
  roles: {
    definitions: 'READS',
    of: 'READS',
    holdersOf: 'READS',
    assign: ({ principal }) => principal.id,
    changeEnd: ({ principalId }) => principalId,
    remove: ({ principalId }) => principalId,
  },
  passes: { policy: 'READS', issue: ({ user }) => user.id, of: 'READS', delete: ({ id }) => id },
  groups: {
    byId: 'READS',
    search: 'READS',
    members: 'READS',
    people: 'READS',
    groupsWithin: 'READS',
    changesFromNow: 'READS',
    holding: 'READS',
    usersDelta: 'READS',
    groupsDelta: 'READS',
  },
  tenant: { identity: 'READS', ownRoles: 'READS', displayName: 'READS', domains: 'READS', rolesCanEnd: 'READS' },
};

/** Asks before each change why Stint must not touch the user; null: it may. */
export type ProtectedBy = (objectId: string) => Promise<string | null>;

/** The directory, in which nothing can be done to protected accounts but to look at them. `DirectoryError` INVALID says why. */
export function guardedDirectory(directory: EntraDirectory, protectedBy: ProtectedBy): EntraDirectory {
  return {
    entraTenantId: directory.entraTenantId,
    users: guarded(directory.users, guardRules.users, protectedBy),
    roles: guarded(directory.roles, guardRules.roles, protectedBy),
    passes: guarded(directory.passes, guardRules.passes, protectedBy),
    groups: guarded(directory.groups, guardRules.groups, protectedBy),
    tenant: guarded(directory.tenant, guardRules.tenant, protectedBy),
  };
}

function guarded<Part extends object>(part: Part, rules: Rules<Part>, protectedBy: ProtectedBy): Part {
  return new Proxy(part, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      const rule: unknown = Reflect.get(rules, name);
      if (rule === 'READS') return method.bind(target) as unknown;
      return async (...args: unknown[]): Promise<unknown> => {
        // What no rule knows is refused: it cannot be said whom it changes.
        const objectId: unknown = typeof rule === 'function' ? Reflect.apply(rule, undefined, args) : undefined;
        if (objectId === undefined) throw new Error(`No rule says whom ${String(name)} changes.`);
        const why = typeof objectId === 'string' ? await protectedBy(objectId) : null;
        if (why !== null) throw new DirectoryError({ kind: 'INVALID', message: `Stint does not touch this account: ${why}.` });
        return Reflect.apply(method, target, args) as unknown;
      };
    },
  });
}
