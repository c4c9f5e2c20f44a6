import { GraphQLScalarType } from 'graphql';

/** `DateTime`: an instant in UTC as an RFC 3339 string. Only answered, never taken as input. */
export const dateTime = new GraphQLScalarType<never, string>({
  name: 'DateTime',
  serialize: (value) => {
    const at = value instanceof Date ? value : new Date(String(value));
    return at.toISOString();
  },
});
