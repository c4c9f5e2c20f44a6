export { StintClient, type StintClientOptions, type RequestOptions } from './client.ts';
export { StintError, NetworkError, ProblemError, type GraphQLErrorEntry } from './errors.ts';
export { expectType } from './expect-type.ts';
export type { Credential } from './key-proof.ts';
export type { Nudge } from './nudges.ts';
export type { NewSignIn, SignInRequest } from './authorization-code.ts';
export { signInWithBrowser, type BrowserSignInRequest } from './browser-sign-in.ts';
export { signIn, type HeadlessSignInRequest } from './headless-sign-in.ts';
export { refreshTokenInMemory, type RefreshTokens, type SignedInPerson } from './person.ts';
