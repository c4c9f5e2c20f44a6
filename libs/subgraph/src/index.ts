export { SubgraphModule, type SubgraphOptions } from './subgraph.module.ts';
export { startSubgraph, type StartOptions, type StartedSubgraph } from './start.ts';
export { Can, type Allowed } from './can.ts';
export { checkInput } from './checked-input.ts';
export { Caller } from './caller.decorator.ts';
export { authorise, callerActor, may, perRequest, type RequestContext } from './request-context.ts';
