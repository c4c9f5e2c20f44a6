/**
 * An expected failure of a use case: thrown by the domain or a service and turned into the member of the mutation's
 * result union that has the same name. `fields` are the member's further fields; never put a secret in them.
 */
export class Problem extends Error {
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(type: string, message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'Problem';
    this.type = type;
    this.fields = fields;
  }
}

/** The same answer for an id that does not exist and for one of another tenant, so that ids cannot be probed. */
export function notFound(thing: string): Problem {
  return new Problem('NotFound', `No ${thing} with this id is visible to you. Check the id and who you are signed in as.`);
}

/** Input that breaks a rule: `field` is the input's path, `message` says what to do instead. */
export function invalidInput(field: string, message: string): Problem {
  return new Problem('InvalidInput', message, { field });
}

/** The thing exists but its state does not allow this. */
export function conflict(message: string): Problem {
  return new Problem('Conflict', message);
}

export const refusalCodes = ['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'LIMITED', 'MALFORMED', 'TRY_AGAIN'] as const;
export type RefusalCode = (typeof refusalCodes)[number];

/** A request that is refused as a whole: a top-level GraphQL error with a stable `extensions.code`. */
export class Refusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
  }
}
