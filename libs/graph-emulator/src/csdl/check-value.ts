import type { Csdl, TypeRef } from './csdl.ts';

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const isString = (test: RegExp) => (value: unknown) => typeof value === 'string' && test.test(value);
const isInteger = (bits: number) => (value: unknown) => Number.isInteger(value) && Math.abs(value as number) < 2 ** (bits - 1);
const isNumber = (value: unknown) => typeof value === 'number';

// How primitive values look in JSON (OData JSON Format 4.01 §7.1).
const primitives: Record<string, (value: unknown) => boolean> = {
  'Edm.Binary': isString(/^[A-Za-z0-9+/_-]*={0,2}$/),
  'Edm.Boolean': (value) => typeof value === 'boolean',
  'Edm.Byte': (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 256,
  'Edm.Date': isString(/^\d{4}-\d{2}-\d{2}$/),
  'Edm.DateTimeOffset': isString(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,12})?)?(Z|[+-]\d{2}:\d{2})$/),
  'Edm.Decimal': isNumber,
  'Edm.Double': isNumber,
  'Edm.Duration': isString(/^-?P(?=\d|T\d)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/),
  'Edm.Guid': isString(guid),
  'Edm.Int16': isInteger(16),
  'Edm.Int32': isInteger(32),
  'Edm.Int64': isInteger(64),
  'Edm.Single': isNumber,
  'Edm.Stream': (value) => typeof value === 'string',
  'Edm.String': (value) => typeof value === 'string',
  'Edm.TimeOfDay': isString(/^\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/),
};

/** What is wrong with a value that should be of this type. Values themselves are never told: they may be secrets. */
export function checkValue(csdl: Csdl, type: TypeRef, value: unknown, where: string): string[] {
  if (value === null) return type.nullable && !type.collection ? [] : [`${where} may not be null`];
  if (type.collection) {
    if (!Array.isArray(value)) return [`${where} is not a list of ${type.name}`];
    return value.flatMap((one, index) => checkValue(csdl, { ...type, collection: false }, one, `${where}[${index}]`));
  }
  const primitive = primitives[type.name];
  if (primitive !== undefined) return primitive(value) ? [] : [`${where} is no ${type.name}`];
  const members = csdl.enums.get(type.name);
  if (members !== undefined) {
    const named = typeof value === 'string' ? (members.flags ? value.split(',').map((one) => one.trim()) : [value]) : [''];
    return named.every((one) => members.members.has(one)) ? [] : [`${where} is no member of ${type.name}`];
  }
  if (!csdl.structured.has(type.name)) return [`${where} is of ${type.name}, which is not described`];
  if (typeof value !== 'object' || Array.isArray(value)) return [`${where} is no ${type.name}`];
  return checkObject(csdl, type.name, value as Record<string, unknown>, where);
}

/** What is wrong with an entity or complex value. Open types are held to what is described too, but for extensions. */
function checkObject(csdl: Csdl, declared: string, value: Record<string, unknown>, where: string): string[] {
  if (isRemoved(value)) return [];
  const named = value['@odata.type'];
  const type = typeof named === 'string' ? named.replace(/^#/, '') : declared;
  if (!csdl.isA(type, declared)) return [`${where} says it is ${type}, which is no ${declared}`];
  const problems = csdl.structured.get(type)?.abstract === true ? [`${where} does not say which ${type} it is`] : [];
  for (const [name, inner] of Object.entries(value)) {
    const at = `${where}.${name}`;
    const [, property = name, annotation] = /^([^@]*)@(.+)$/.exec(name) ?? [];
    if (annotation === 'delta') {
      const navigation = csdl.navigation(type, property);
      problems.push(
        ...(navigation?.collection === true ? checkValue(csdl, navigation, inner, at) : [`${type} has no navigation "${property}"`]),
      );
    } else if (annotation === 'odata.bind') {
      if (csdl.navigation(type, property) === undefined) problems.push(`${type} has no navigation "${property}"`);
    } else if (annotation !== undefined) {
      if (!annotation.startsWith('odata.')) problems.push(`${at} is no annotation of OData`);
    } else {
      const ref = csdl.property(type, name) ?? csdl.navigation(type, name);
      if (ref !== undefined) problems.push(...checkValue(csdl, ref, inner, at));
      else if (!isExtension(csdl, type, name)) problems.push(`${type} has no property "${name}" (${where})`);
    }
  }
  return problems;
}

/** Delta queries tell only the id of what has gone. */
function isRemoved(value: Record<string, unknown>): boolean {
  const removed = value['@removed'] as { reason?: unknown } | undefined;
  const reasons: unknown[] = ['changed', 'deleted'];
  return removed !== undefined && reasons.includes(removed.reason) && typeof value['id'] === 'string';
}

/** Names of directory and schema extensions: `extension_{appId}_{name}`, `ext{random}_{name}`. */
function isExtension(csdl: Csdl, type: string, name: string): boolean {
  return csdl.lineage(type).some(({ open }) => open) && /^(extension_[0-9a-f]{32}_\w+|ext[a-z0-9]{8}_\w+)$/.test(name);
}
