import type { z } from 'zod';
import { invalidInput } from '@stint/kernel';

/** A mutation's input after its rules: the parsed value, or the problem `InvalidInput` about the first field that breaks one. */
export function checkInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join('.') ?? '';
  throw invalidInput(field, `${field}: ${issue?.message ?? 'is not valid'}.`);
}
