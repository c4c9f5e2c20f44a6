import { readFileSync } from 'node:fs';
import { XMLParser } from 'fast-xml-parser';
import { Csdl, type StructuredType, type TypeRef } from './csdl.ts';

// The elements that are read, with their attributes. The parser makes an array of each of `lists`.
interface Attributes {
  Name: string;
  Type: string;
  Nullable?: string;
}
interface TypeElement {
  Name: string;
  BaseType?: string;
  Abstract?: string;
  OpenType?: string;
  Property?: Attributes[];
  NavigationProperty?: Attributes[];
  Annotation?: { Term: string; '#text'?: string }[];
}
interface OperationElement {
  Name: string;
  IsBound?: string;
  Parameter?: Attributes[];
  ReturnType?: { Type: string; Nullable?: string };
}
interface SchemaElement {
  Namespace: string;
  Alias?: string;
  EntityType?: TypeElement[];
  ComplexType?: TypeElement[];
  EnumType?: { Name: string; IsFlags?: string; Member?: { Name: string }[] }[];
  Action?: OperationElement[];
  Function?: OperationElement[];
  EntityContainer?: { EntitySet?: { Name: string; EntityType: string }[]; Singleton?: { Name: string; Type: string }[] };
}

const lists = new Set(
  'Schema EntityType ComplexType EnumType Member Property NavigationProperty Action Function Parameter EntitySet Singleton Annotation'.split(
    ' ',
  ),
);

const read = new Map<string, Csdl>();

/** Reads a service description (XML). It takes a second; the same file is read once. */
export function readCsdl(file: string): Csdl {
  const known = read.get(file);
  if (known !== undefined) return known;
  const parser = new XMLParser({
    ...{ ignoreAttributes: false, attributeNamePrefix: '', parseTagValue: false, parseAttributeValue: false },
    // Annotations are half of the file: kept as text.
    stopNodes: ['..Annotation'],
    isArray: (name, _path, _isLeaf, isAttribute) => !isAttribute && lists.has(name),
  });
  const document = parser.parse(readFileSync(file, 'utf8')) as { 'edmx:Edmx': { 'edmx:DataServices': { Schema: SchemaElement[] } } };
  const schemas = document['edmx:Edmx']['edmx:DataServices'].Schema;
  const csdl = new Csdl();
  for (const schema of schemas) readSchema(csdl, schema, refReader(schemas, schema));
  read.set(file, csdl);
  return csdl;
}

type ReadRef = (type: string, nullable?: string) => TypeRef;

/** `Collection(graph.user)` → `microsoft.graph.user`, a collection. `self` is each schema's own alias. */
function refReader(schemas: readonly SchemaElement[], own: SchemaElement): ReadRef {
  return (type, nullable) => {
    const [, inner] = /^Collection\((.+)\)$/.exec(type) ?? [];
    const name = inner ?? type;
    const [space, last] = [name.slice(0, name.lastIndexOf('.')), name.slice(name.lastIndexOf('.') + 1)];
    const aliased = space === own.Alias ? own : schemas.find(({ Alias }) => Alias === space);
    return { name: `${aliased?.Namespace ?? space}.${last}`, collection: inner !== undefined, nullable: nullable !== 'false' };
  };
}

function readSchema(csdl: Csdl, schema: SchemaElement, ref: ReadRef): void {
  const full = (name: string) => `${schema.Namespace}.${name}`;
  const refs = (elements: readonly Attributes[] = []) => new Map(elements.map(({ Name, Type, Nullable }) => [Name, ref(Type, Nullable)]));
  const structured = (element: TypeElement, entity: boolean): StructuredType => ({
    name: full(element.Name),
    base: element.BaseType === undefined ? null : ref(element.BaseType).name,
    entity,
    abstract: element.Abstract === 'true',
    open: element.OpenType === 'true',
    properties: refs(element.Property),
    navigation: refs(element.NavigationProperty),
    alternateKeys: alternateKeys(element),
  });
  for (const element of schema.EntityType ?? []) csdl.structured.set(full(element.Name), structured(element, true));
  for (const element of schema.ComplexType ?? []) csdl.structured.set(full(element.Name), structured(element, false));
  for (const { Name, IsFlags, Member = [] } of schema.EnumType ?? []) {
    csdl.enums.set(full(Name), { members: new Set(Member.map((member) => member.Name)), flags: IsFlags === 'true' });
  }
  const operations = (elements: readonly OperationElement[] = [], isFunction: boolean) => {
    for (const { Name, IsBound, Parameter = [], ReturnType } of elements) {
      const [binding, ...rest] = Parameter;
      if (IsBound !== 'true' || binding === undefined) continue;
      const returns = ReturnType === undefined ? null : ref(ReturnType.Type, ReturnType.Nullable);
      csdl.operations.push({ name: Name, fullName: full(Name), isFunction, boundTo: ref(binding.Type), parameters: refs(rest), returns });
    }
  };
  operations(schema.Action, false);
  operations(schema.Function, true);
  for (const { Name, EntityType } of schema.EntityContainer?.EntitySet ?? [])
    csdl.roots.set(Name, { ...ref(EntityType), collection: true });
  for (const { Name, Type } of schema.EntityContainer?.Singleton ?? []) csdl.roots.set(Name, ref(Type));
}

/** Org.OData.Core.V1.AlternateKeys: the properties that its records point to. */
function alternateKeys({ Annotation = [] }: TypeElement): string[] {
  const keys = Annotation.find(({ Term }) => Term === 'Org.OData.Core.V1.AlternateKeys')?.['#text'] ?? '';
  return [...keys.matchAll(/ PropertyPath="([^"]+)"/g)].flatMap(([, name]) => name ?? []);
}
