import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { GraphEmulator } from '../graph-emulator.ts';
import { readCsdl } from './read-csdl.ts';
import { validateExchange } from './validate-exchange.ts';

// Microsoft's published description lies beside the repository and is no part of it.
const shown = join('..', 'shared', 'data', 'microsoft-graph', 'metadata-v1.0.xml');

/** Where Microsoft's description of Graph v1.0 is looked for. */
export const metadataFile = join(import.meta.dirname, '..', '..', '..', '..', shown);

/** Whether it is there. It never is in CI. */
export function hasMetadata(): boolean {
  return existsSync(metadataFile);
}

let told = false;

/**
 * What was wrong with the requests that reached the emulator and with its answers, by Microsoft's description, each problem once.
 * Where that is absent nothing is checked, and one line says so.
 */
export function exchangeProblems(graph: GraphEmulator): string[] {
  if (!hasMetadata()) {
    if (!told) process.stdout.write(`Microsoft Graph metadata is absent: requests and answers not checked (looked in ${shown})\n`);
    told = true;
    return [];
  }
  const csdl = readCsdl(metadataFile);
  return [...new Set(graph.exchanges.flatMap((exchange) => validateExchange(csdl, exchange)))];
}
