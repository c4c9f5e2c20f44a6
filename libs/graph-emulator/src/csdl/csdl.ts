// Microsoft's description of Graph (OData CSDL 4.01), as far as requests and answers are held to it. Type names are full
// (`microsoft.graph.user`, `Edm.String`).

export interface TypeRef {
  name: string;
  collection: boolean;
  nullable: boolean;
}

/** An entity or complex type, without what it inherits. */
export interface StructuredType {
  name: string;
  base: string | null;
  entity: boolean;
  abstract: boolean;
  open: boolean;
  properties: ReadonlyMap<string, TypeRef>;
  navigation: ReadonlyMap<string, TypeRef>;
  /** Properties that address an entity in place of its key: `applications(appId='…')`. */
  alternateKeys: readonly string[];
}

export interface EnumType {
  members: ReadonlySet<string>;
  flags: boolean;
}

/** A function (called by GET) or action (by POST) that is bound to a type. */
export interface Operation {
  name: string;
  /** With its namespace, as a path may name it too. */
  fullName: string;
  isFunction: boolean;
  boundTo: TypeRef;
  parameters: ReadonlyMap<string, TypeRef>;
  returns: TypeRef | null;
}

/** The service description. */
export class Csdl {
  readonly structured = new Map<string, StructuredType>();
  readonly enums = new Map<string, EnumType>();
  readonly operations: Operation[] = [];
  /** What a path begins with. */
  readonly roots = new Map<string, TypeRef>();

  /** The type and what it inherits from, itself first. */
  lineage(name: string): StructuredType[] {
    const type = this.structured.get(name);
    return type === undefined ? [] : [type, ...(type.base === null ? [] : this.lineage(type.base))];
  }

  isA(name: string, ancestor: string): boolean {
    return this.lineage(name).some((type) => type.name === ancestor);
  }

  property(type: string, name: string): TypeRef | undefined {
    return first(this.lineage(type), (one) => one.properties.get(name));
  }

  navigation(type: string, name: string): TypeRef | undefined {
    return first(this.lineage(type), (one) => one.navigation.get(name));
  }

  /** The property or navigation of the type, or of one that inherits from it: lists of a base type show those too. */
  anyMember(type: string, name: string): TypeRef | undefined {
    const own = this.property(type, name) ?? this.navigation(type, name);
    if (own !== undefined) return own;
    const derived = [...this.structured.values()].filter((one) => this.isA(one.name, type));
    return first(derived, (one) => one.properties.get(name) ?? one.navigation.get(name));
  }

  /** The operation of that name (short or full) for a thing of this type; the one of the nearest type where ancestors have it too. */
  operation(name: string, on: Pick<TypeRef, 'name' | 'collection'>): Operation | undefined {
    const named = this.operations.filter((one) => (one.name === name || one.fullName === name) && one.boundTo.collection === on.collection);
    return first(this.lineage(on.name), (type) => named.find(({ boundTo }) => boundTo.name === type.name));
  }
}

function first<Item, Found>(items: readonly Item[], find: (item: Item) => Found | undefined): Found | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
