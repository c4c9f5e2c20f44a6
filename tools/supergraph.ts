import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

export const root = join(import.meta.dirname, '..');

/** A service's whole SDL: the shared types first, then its own schema.graphql. */
export interface ServiceSchema {
  name: string;
  sdl: string;
}

export function serviceSchemas(): ServiceSchema[] {
  const shared = readFileSync(join(root, 'libs/contracts/schema/shared.graphql'), 'utf8');
  return readdirSync(join(root, 'services'))
    .filter((name) => existsSync(join(root, 'services', name, 'schema.graphql')))
    .sort()
    .map((name) => ({ name, sdl: `${shared}\n${readFileSync(join(root, 'services', name, 'schema.graphql'), 'utf8')}` }));
}

/** Composes the supergraph; on failure prints every composition error and ends the process. */
export function composeSupergraph(services = serviceSchemas()) {
  const result = composeServices(
    // The address is a host name for service discovery; the gateway's SUBGRAPH_URLS decides where a service really is.
    services.map(({ name, sdl }) => ({ name, url: `http://${name}/graphql`, typeDefs: parse(sdl) })),
  );
  for (const hint of result.hints ?? []) console.warn(`hint: ${hint.toString()}`);
  if (result.supergraphSdl === undefined) {
    for (const error of result.errors ?? []) console.error(`${String(error.extensions['code'] ?? 'ERROR')}: ${error.message}`);
    process.exit(1);
  }
  return { sdl: `${result.supergraphSdl.trim()}\n`, apiSchema: result.schema.toAPISchema().toGraphQLJSSchema() };
}
