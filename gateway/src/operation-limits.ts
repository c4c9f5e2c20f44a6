import {
  getNamedType,
  GraphQLError,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type ASTVisitor,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';

/** Tokens of one document; the parser stops there. */
export const maxTokens = 2_000;

/** What one operation may ask for, its fragments counted wherever they are spread. */
export const operationLimits = {
  depth: 15,
  fields: 500,
  /** `__typename` included, or it would be a way around the limit. */
  aliases: 15,
  directives: 10,
  /** Rows that the lists could answer at the most: each `first` times the rows it stands in. */
  rows: 10_000,
} as const;

type Cost = { -readonly [Limit in keyof typeof operationLimits]: number };

const advice: Record<keyof Cost, string> = {
  depth: 'is nested too deeply',
  fields: 'selects too many fields',
  aliases: 'uses too many aliases',
  directives: 'uses too many directives',
  rows: 'could answer too many rows; ask for shorter pages or fewer lists inside lists',
};

/** A validation rule that refuses an operation beyond `operationLimits`, in time linear to the document's length. */
export function operationLimitsRule(context: ValidationContext): ASTVisitor {
  const counter = new Counter(context);
  return {
    OperationDefinition(node) {
      const root = context.getSchema().getRootType(node.operation);
      const cost = counter.selections(node.selectionSet, root ?? undefined);
      cost.directives += node.directives?.length ?? 0;
      for (const limit of Object.keys(operationLimits) as (keyof Cost)[]) {
        if (cost[limit] <= operationLimits[limit]) continue;
        context.reportError(new GraphQLError(`The operation ${advice[limit]} (at most ${operationLimits[limit]}).`, { nodes: node }));
      }
      return false;
    },
  };
}

class Counter {
  readonly #context: ValidationContext;
  readonly #fragments = new Map<string, Cost>();

  constructor(context: ValidationContext) {
    this.#context = context;
  }

  selections(set: SelectionSetNode, parent: GraphQLNamedType | undefined): Cost {
    const total = zero();
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) add(total, this.#field(selection, parent));
      else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const on = selection.typeCondition ? this.#context.getSchema().getType(selection.typeCondition.name.value) : parent;
        add(total, this.selections(selection.selectionSet, on));
      } else {
        const fragment = this.#context.getFragment(selection.name.value);
        if (fragment) add(total, this.#fragment(fragment));
      }
      total.directives += selection.directives?.length ?? 0;
    }
    return total;
  }

  /** Counted once and remembered: a chain of fragments that spread each other doubles the count, not the work. */
  #fragment(fragment: FragmentDefinitionNode): Cost {
    const name = fragment.name.value;
    const known = this.#fragments.get(name);
    if (known) return known;
    // A circle is refused by another rule; here it only must end.
    this.#fragments.set(name, zero());
    const cost = this.selections(fragment.selectionSet, this.#context.getSchema().getType(fragment.typeCondition.name.value));
    this.#fragments.set(name, cost);
    return cost;
  }

  #field(field: FieldNode, parent: GraphQLNamedType | undefined): Cost {
    const name = field.name.value;
    const definition = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
    const type = definition && getNamedType(definition.type);
    const inside = field.selectionSet ? this.selections(field.selectionSet, isCompositeType(type) ? type : undefined) : zero();
    const pageSize = definition?.args.some((argument) => argument.name === 'first') ? first(field) : 0;
    // The schema about itself is nested by its nature, has no rows and is answered by the gateway alone.
    const introspection = name.startsWith('__');
    return {
      depth: introspection ? 1 : inside.depth + 1,
      fields: introspection ? 1 : inside.fields + 1,
      aliases: inside.aliases + (field.alias && field.alias.value !== name ? 1 : 0),
      directives: inside.directives,
      rows: pageSize > 0 ? pageSize * Math.max(1, inside.rows) : inside.rows,
    };
  }
}

/** The page's length: at most 100, as the services allow; 50 where none is given; 100 where a variable will tell. */
function first(field: FieldNode): number {
  const value = field.arguments?.find((argument) => argument.name.value === 'first')?.value;
  if (!value || value.kind === Kind.NULL) return 50;
  if (value.kind !== Kind.INT) return 100;
  return Math.min(100, Math.max(1, Number(value.value)));
}

function zero(): Cost {
  return { depth: 0, fields: 0, aliases: 0, directives: 0, rows: 0 };
}

function add(total: Cost, cost: Cost): void {
  total.depth = Math.max(total.depth, cost.depth);
  total.fields += cost.fields;
  total.aliases += cost.aliases;
  total.directives += cost.directives;
  total.rows += cost.rows;
}
