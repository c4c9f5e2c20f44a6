/** Nest's token for the `Clock`. */
export const CLOCK = Symbol('clock');
/** Nest's token for the `KeyProvider` that wraps what this service keeps secret. */
export const KEYS = Symbol('keys');
/** Nest's token for the `Revoke` function. */
export const REVOKE = Symbol('revoke');
/** Hints to the gateways, after the commit, that a subject's tokens are good no more. */
export type Revoke = (subjectId: string) => void;
/** Nest's token for whether identity providers may be asked over http on this machine. */
export const ALLOW_INSECURE_IDENTITY_PROVIDER = Symbol('allow insecure identity provider');
/** Nest's token for the address at which people reach the gateway, without a slash at its end. */
export const PUBLIC_URL = Symbol('public url');
/** Nest's token for the `PushSetup`. */
export const PUSH_SETUP = Symbol('push setup');
/** With which key, and to which hosts, push messages go. */
export interface PushSetup {
  publicKey: string;
  hosts: readonly string[];
}
