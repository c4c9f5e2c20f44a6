import type { Csdl, Operation, TypeRef } from './csdl.ts';

/** What a path leads to. */
export interface Target {
  /** Type of what is there; null after an action without an answer. */
  type: TypeRef | null;
  /** The operation at its end, if it ends with one. */
  operation: Operation | null;
  /** `…/$ref`: the link, not what is linked. */
  reference: boolean;
  /** The type by which a key or member was reached is a base of what is there. */
  problem: string | null;
}

/** Follows a path below /v1.0, segment by segment: sets, keys, casts, properties, navigation, functions and actions (OData 4.01 §4). */
export function resolvePath(csdl: Csdl, path: string): Target {
  const [rootName = '', ...segments] = splitPath(path);
  const [, rootSet = '', rootKey] = keyed.exec(rootName) ?? [];
  const root = csdl.roots.get(rootSet);
  const wrong = (segment: string, on: string): Target => ({
    ...{ type: null, operation: null, reference: false, problem: `there is no "${segment}" at ${on}` },
  });
  if (root === undefined) return wrong(rootName, 'the root');
  let at = root;
  if (rootKey !== undefined) {
    if (!root.collection || !isKey(csdl, root.name, rootKey)) return wrong(`(${rootKey})`, rootSet);
    at = { ...root, collection: false };
  }
  let operation: Operation | null = null;
  for (const [index, segment] of segments.entries()) {
    if (operation !== null) return wrong(segment, operation.name);
    if (segment === '$ref' && index === segments.length - 1) return { type: at, operation: null, reference: true, problem: null };
    const next = step(csdl, at, segment);
    if (next === null) return wrong(segment, at.name);
    if ('returns' in next) operation = next;
    else at = next;
  }
  return { type: operation === null ? at : operation.returns, operation, reference: false, problem: null };
}

// `name`, or `name(key)`
const keyed = /^([^(]+)(?:\((.*)\))?$/;

function splitPath(path: string): string[] {
  return path.replace(/^\//, '').split('/').map(decodeURIComponent);
}

/** `'…'`, or `alternateKey='…'`. */
function isKey(csdl: Csdl, type: string, key: string): boolean {
  const match = /^(?:(\w+)=)?'[^']*'$/.exec(key);
  if (match === null) return false;
  const name = match[1];
  return name === undefined || csdl.lineage(type).some(({ alternateKeys }) => alternateKeys.includes(name));
}

function step(csdl: Csdl, at: TypeRef, segment: string): TypeRef | Operation | null {
  const operation = csdl.operation(segment.replace(/\(\)$/, ''), at);
  if (operation !== undefined) return operation;
  if (csdl.structured.has(segment)) return csdl.isA(segment, at.name) ? { ...at, name: segment } : null;
  if (at.collection) {
    // Any other segment behind a set is a key; one with a $ or a bracket is none.
    return csdl.structured.get(at.name)?.entity === true && !/[$()]/.test(segment) ? { ...at, collection: false } : null;
  }
  return csdl.navigation(at.name, segment) ?? csdl.property(at.name, segment) ?? null;
}
