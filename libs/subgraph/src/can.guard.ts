import { Injectable, type CanActivate, type ExecutionContext, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { GqlExecutionContext } from '@nestjs/graphql';
import { assertAllowed, canMetadata, type Allowed } from './can.ts';
import type { RequestContext } from './request-context.ts';

// Nest's own metadata keys for what a resolver method is (@nestjs/graphql, graphql.constants).
const operationMetadata = 'graphql:resolver_type';
const referenceMetadata = 'graphql:resolve_reference';

/** Holds `@Can` for queries and mutations, and stops the start when an operation has none. */
@Injectable()
export class CanGuard implements CanActivate, OnModuleInit {
  constructor(
    private readonly reflector: Reflector,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  canActivate(execution: ExecutionContext): boolean {
    if (execution.getType<string>() !== 'graphql') return true; // health checks
    const allowed = this.reflector.get<Allowed[] | undefined>(canMetadata, execution.getHandler());
    if (allowed === undefined) return false;
    assertAllowed(GqlExecutionContext.create(execution).getContext<RequestContext>().principal, allowed);
    return true;
  }

  onModuleInit(): void {
    const unguarded = this.discovery.getProviders().flatMap(({ instance }: { instance: unknown }) => {
      if (typeof instance !== 'object' || instance === null) return [];
      const prototype = Object.getPrototypeOf(instance) as Record<string, unknown> | null;
      if (prototype === null) return [];
      return this.scanner
        .getAllMethodNames(prototype)
        .filter((name) => isOperation(prototype[name]) && !Reflect.hasMetadata(canMetadata, prototype[name] as object))
        .map((name) => `${instance.constructor.name}.${name}`);
    });
    if (unguarded.length > 0) throw new Error(`Say who may call ${unguarded.join(', ')}: add @Can(…).`);
  }
}

function isOperation(method: unknown): boolean {
  if (typeof method !== 'function') return false;
  const kind = Reflect.getMetadata(operationMetadata, method) as string | undefined;
  return kind === 'Query' || kind === 'Mutation' || kind === 'Subscription' || Reflect.hasMetadata(referenceMetadata, method);
}
