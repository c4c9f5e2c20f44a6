// npm run compose [-- --check]: composes supergraph.graphql from libs/contracts/schema/shared.graphql and services/*/schema.graphql.
// --check writes nothing and fails when the committed file differs: its diff is the API review.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeSupergraph, root } from './supergraph.ts';

const target = join(root, 'supergraph.graphql');
const { sdl } = composeSupergraph();

if (!process.argv.includes('--check')) {
  writeFileSync(target, sdl);
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== sdl) {
  console.error('supergraph.graphql is not what the subgraphs compose to. Run "npm run compose" and commit the result.');
  process.exit(1);
}
