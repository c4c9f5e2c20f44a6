import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { GqlExecutionContext } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { admitted, canMetadata, type Allowed } from './can.ts';
import type { RequestContext } from './request-context.ts';

/**
 * The principal that calls, as a resolver's parameter, narrowed to the tenants where the operation's `@Can` is met.
 * (Reference resolvers take it from their context argument.)
 */
export const Caller = createParamDecorator((_: unknown, execution: ExecutionContext): Principal => {
  const { principal } = GqlExecutionContext.create(execution).getContext<RequestContext>();
  const allowed = Reflect.getMetadata(canMetadata, execution.getHandler()) as Allowed[] | undefined;
  return allowed === undefined ? principal : admitted(principal, allowed);
});
