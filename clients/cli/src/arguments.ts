import { InvalidArgumentError } from 'commander';
import { entraObjectId } from '@stint/contracts';
import { isId, type Id } from '@stint/kernel';
import type { z } from 'zod';

/** An id as a list shows it. */
export function id(text: string): Id {
  const canonical = text.trim().toLowerCase();
  if (!isId(canonical)) throw new InvalidArgumentError('It must be an id as the lists show it, for example 0193a1b2-….');
  return canonical;
}

/** Several ids: collects the values of a repeated option or argument. */
export function ids(text: string, before: readonly Id[] | undefined): Id[] {
  return [...(before ?? []), id(text)];
}

/** An id as Microsoft Entra shows it. */
export function guid(text: string): string {
  const canonical = text.trim().toLowerCase();
  if (!entraObjectId.safeParse(canonical).success)
    throw new InvalidArgumentError('It must be a GUID as Entra shows it, for example 11111111-2222-3333-4444-555555555555.');
  return canonical;
}

/** Text of a repeated option. */
export function texts(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

/** A whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    return value;
  };
}

/** One of a few words, in any case, `_` or `-`: `domain-controller` is `DOMAIN_CONTROLLER`. */
export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const wanted = text.toUpperCase().replaceAll('-', '_');
    const word = words.find((candidate) => candidate === wanted);
    if (word === undefined)
      throw new InvalidArgumentError(`It must be one of ${words.map((each) => each.toLowerCase().replaceAll('_', '-')).join(', ')}.`);
    return word;
  };
}

/** Text by a rule of the product, in the form in which the server would keep it. */
export function text(rule: z.ZodType<string, string>): (value: string) => string {
  return (value) => {
    const result = rule.safeParse(value);
    if (!result.success) throw new InvalidArgumentError(`It ${result.error.issues[0]?.message ?? 'is not valid'}.`);
    return result.data;
  };
}
