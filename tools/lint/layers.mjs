// The suffix of a file tells its layer, and the layer tells what it may import.
import { basename } from 'node:path';
import { isPackage, visitImports } from './imports.mjs';

/** `layers`: suffixes of our own files, `packages`: packages that the layer must not import; `only`: it may import no others. */
export const layers = {
  domain: {
    layers: ['consumer', 'entity', 'loader', 'module', 'repository', 'resolver', 'service', 'sweep', 'sweeper'],
    only: ['@stint/kernel', '@stint/contracts', 'zod', 'node:crypto', 'node:util'],
    because:
      'A domain file is pure: types and functions from state to state, with time and randomness passed in. I/O goes to the repository, the use case to the service.',
  },
  entity: {
    layers: ['consumer', 'domain', 'module', 'repository', 'resolver', 'service', 'sweep', 'sweeper'],
    packages: ['@nestjs/*', '@stint/messaging', '@stint/subgraph'],
    because: 'An entity describes a table and nothing else.',
  },
  repository: {
    layers: ['consumer', 'module', 'resolver', 'service', 'sweep', 'sweeper'],
    packages: ['@nestjs/graphql', '@stint/messaging', '@stint/subgraph', 'graphql'],
    because:
      'A repository reads and writes the rows of one aggregate in a transaction that it is given. What follows from them (messages, audit, answers) goes to the service.',
  },
  service: {
    layers: ['consumer', 'module', 'resolver', 'sweep', 'sweeper'],
    packages: [
      '@nestjs/graphql',
      'axios',
      'fastify',
      'got',
      'node:dgram',
      'node:http',
      'node:http2',
      'node:https',
      'node:net',
      'node:tls',
      'undici',
    ],
    because:
      'A service is one use case: authorise, open the scope, load, decide, save, emit. GraphQL goes to the resolver; the network has no place in a transaction.',
  },
  resolver: {
    layers: ['consumer', 'entity', 'module', 'repository', 'sweep', 'sweeper'],
    packages: ['@stint/messaging', '@stint/tenancy', 'pg', 'typeorm'],
    because: 'A resolver is GraphQL in, service, GraphQL out. Reading and writing go through the service.',
  },
  consumer: {
    layers: ['module', 'resolver'],
    packages: ['@nestjs/graphql', '@stint/subgraph', 'graphql'],
    because: 'A consumer takes messages in and hands them to the service or the repository; it knows nothing of GraphQL.',
  },
};

/** The layer that a file's name tells: `grant.domain.ts` → `domain`; null for specs and files without one. */
export function layerOf(file) {
  return /^[^.]+\.([a-z-]+)\.ts$/.exec(basename(file))?.[1] ?? null;
}

export const layer = {
  meta: {
    type: 'problem',
    docs: { description: 'a layer imports only what belongs to it' },
    schema: [],
    messages: { wrong: 'A *.{{layer}}.ts must not import {{used}}. {{because}}' },
  },
  create(context) {
    const name = layerOf(context.filename);
    const rules = name === null ? undefined : layers[name];
    if (rules === undefined) return {};
    return visitImports(({ node, source }) => {
      const used = rejects(rules, source);
      if (used !== null) context.report({ node, messageId: 'wrong', data: { layer: name, used, because: rules.because } });
    });
  },
};

function rejects(rules, source) {
  if (source.startsWith('.')) {
    const other = layerOf(source);
    return rules.layers.includes(other) ? `a *.${other}.ts` : null;
  }
  if (rules.packages?.some((pattern) => isPackage(source, pattern))) return source;
  if (rules.only !== undefined && !rules.only.some((pattern) => isPackage(source, pattern))) return source;
  return null;
}
