// npm run compose [-- --check]: composes supergraph.graphql from libs/contracts/schema/shared.graphql and services/*/schema.graphql.
// --check writes nothing and fails when the committed file differs: its diff is the API review.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

const root = join(import.meta.dirname, '..');
const target = join(root, 'supergraph.graphql');
const shared = readFileSync(join(root, 'libs/contracts/schema/shared.graphql'), 'utf8');

const services = readdirSync(join(root, 'services'))
  .filter((name) => existsSync(join(root, 'services', name, 'schema.graphql')))
  .sort();

const result = composeServices(
  services.map((name) => ({
    name,
    // A host name for service discovery; the gateway's SUBGRAPH_URLS decides where a service really is.
    url: `http://${name}/graphql`,
    typeDefs: parse(`${shared}\n${readFileSync(join(root, 'services', name, 'schema.graphql'), 'utf8')}`),
  })),
);

for (const hint of result.hints ?? []) console.warn(`hint: ${hint.toString()}`);
if (!result.supergraphSdl) {
  for (const error of result.errors ?? []) console.error(`${String(error.extensions['code'] ?? 'ERROR')}: ${error.message}`);
  process.exit(1);
}

const composed = `${result.supergraphSdl.trim()}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(target, composed);
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== composed) {
  console.error('supergraph.graphql is not what the subgraphs compose to. Run "npm run compose" and commit the result.');
  process.exit(1);
}
