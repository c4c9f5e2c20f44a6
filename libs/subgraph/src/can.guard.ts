import { Injectable, type CanActivate, type ExecutionContext, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { GqlExecutionContext } from '@nestjs/graphql';
import { assertAllowed, canMetadata, type Allowed } from './can.ts';
import type { RequestContext } from './request-context.ts';

// Nest's own metadata keys for what a resolver method is (@nestjs/graphql, graphql.constants).
const operationMetadata = 'graphql:resolver_type';
const referenceMetadata = 'graphql:resolve_reference';
const parameterMetadata = '__routeArguments__';

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
    const operations = this.#operations();
    const unguarded = operations.filter(({ method }) => !Reflect.hasMetadata(canMetadata, method)).map(({ name }) => name);
    if (unguarded.length > 0) throw new Error(`Say who may call ${unguarded.join(', ')}: add @Can(…).`);
    // With decorated parameters Nest passes other arguments than (reference, context), and the check would see neither.
    const decorated = operations
      .filter(({ method, decorated: is }) => is && Reflect.hasMetadata(referenceMetadata, method))
      .map(({ name }) => name);
    if (decorated.length > 0) throw new Error(`Take reference and context undecorated in ${decorated.join(', ')}: @Can looks at them.`);
  }

  /** Every query, mutation and reference resolver of the app. */
  #operations(): Operation[] {
    return this.discovery.getProviders().flatMap(({ instance }: { instance: unknown }) => {
      if (typeof instance !== 'object' || instance === null) return [];
      const prototype = Object.getPrototypeOf(instance) as Record<string, unknown> | null;
      if (prototype === null) return [];
      return this.scanner.getAllMethodNames(prototype).flatMap((key) => {
        const method = prototype[key];
        if (!isOperation(method)) return [];
        return [
          {
            name: `${instance.constructor.name}.${key}`,
            method,
            decorated: Reflect.hasMetadata(parameterMetadata, instance.constructor, key),
          },
        ];
      });
    });
  }
}

interface Operation {
  name: string;
  method: object;
  /** True when it has parameter decorators. */
  decorated: boolean;
}

function isOperation(method: unknown): method is object {
  if (typeof method !== 'function') return false;
  const kind = Reflect.getMetadata(operationMetadata, method) as string | undefined;
  return kind === 'Query' || kind === 'Mutation' || kind === 'Subscription' || Reflect.hasMetadata(referenceMetadata, method);
}
