import type { Command } from 'commander';
import { wholeNumber } from './arguments.ts';

/** How many rows a list shows. */
export interface ListOptions {
  limit: number;
  all?: boolean;
}

/** Adds the options that every list takes. */
export function withListOptions(command: Command): Command {
  return command
    .option('--limit <rows>', 'how many rows at most', wholeNumber(1, 1_000_000), 100)
    .option('--all', 'all rows, however many');
}

/** The number of rows that the options ask for. */
export function rowLimit({ limit, all }: ListOptions): number {
  return all === true ? Number.POSITIVE_INFINITY : limit;
}
