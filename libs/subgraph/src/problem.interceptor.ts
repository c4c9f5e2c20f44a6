import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { GqlExecutionContext } from '@nestjs/graphql';
import { getNamedType, isUnionType, type GraphQLResolveInfo } from 'graphql';
import { catchError, of, throwError, type Observable } from 'rxjs';
import { Problem } from '@stint/kernel';

/** Turns a thrown `Problem` into the member of the mutation's result union that has its name. */
@Injectable()
export class ProblemInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (execution.getType<string>() !== 'graphql') return next.handle();
    const info = GqlExecutionContext.create(execution).getInfo<GraphQLResolveInfo>();
    return next.handle().pipe(catchError((error: unknown) => asMember(error, info)));
  }
}

function asMember(error: unknown, info: GraphQLResolveInfo): Observable<unknown> {
  if (!(error instanceof Problem)) return throwError(() => error);
  const result = getNamedType(info.returnType);
  if (!isUnionType(result)) return throwError(() => error); // a query: `formatErrors` knows what to do
  const listed = result.getTypes().some((member) => member.name === error.type);
  if (listed) return of({ __typename: error.type, message: error.message, ...error.fields });
  return throwError(
    () => new Error(`${info.fieldName} met the problem ${error.type}, which ${result.name} does not list.`, { cause: error }),
  );
}
