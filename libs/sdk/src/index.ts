export { StintClient, type StintClientOptions, type RequestOptions } from './client.ts';
export { StintError, NetworkError, ProblemError, type GraphQLErrorEntry } from './errors.ts';
export { expectType } from './expect-type.ts';
export type { Credential } from './key-proof.ts';
export type { Nudge } from './nudges.ts';
