import 'reflect-metadata';
import type { KeyObject } from 'node:crypto';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServiceName } from '@stint/contracts';
import { PrincipalVerifier, requirePrincipal } from './principal.hook.ts';

export interface StartOptions {
  name: ServiceName;
  /** The service's root module; it imports `SubgraphModule.for(…)`. */
  module: DynamicModule;
  /** All are believed; several while a key is rotated. */
  gatewayPublicKeys: readonly KeyObject[];
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** True when the service can answer: its database and queue are reachable. */
  ready: () => Promise<boolean>;
}

export interface StartedSubgraph {
  url: string;
  /** A provider of the service's module. */
  get<Provider>(provider: Type<Provider>): Provider;
  close(): Promise<void>;
}

/** Starts a subgraph's HTTP server: `/graphql` for the gateway, `/health/live` and `/health/ready` for the platform. */
export async function startSubgraph(options: StartOptions): Promise<StartedSubgraph> {
  const adapter = new FastifyAdapter({ bodyLimit: 1_048_576 });
  const fastify = adapter.getInstance();
  requirePrincipal(fastify as never, new PrincipalVerifier(options.gatewayPublicKeys, options.name));
  fastify.get('/health/live', () => ({ status: 'ok' }));
  fastify.get('/health/ready', async (_request, reply) => {
    const ready = await options.ready().catch(() => false);
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'not ready' });
  });
  // Nest's own logger would print errors whole, with whatever stands in them; ours are logged once, by `formatErrors`.
  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, { logger: false, abortOnError: false });
  await app.listen(options.port, options.host);
  return { url: `${await app.getUrl()}/graphql`, get: (provider) => app.get(provider), close: () => app.close() };
}
