import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { GqlExecutionContext } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import type { RequestContext } from './request-context.ts';

/** The principal that calls, as a resolver's parameter. (Reference resolvers take it from their context argument.) */
export const Caller = createParamDecorator(
  (_: unknown, execution: ExecutionContext): Principal => GqlExecutionContext.create(execution).getContext<RequestContext>().principal,
);
