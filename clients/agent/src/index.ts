export { startAgent, type AgentOptions } from './agent.ts';
export { enroll, type EnrollOptions } from './enrollment/enroll.ts';
export { readIdentity, type Identity } from './enrollment/identity.ts';
export { createPrivateRoot, isPrivateRoot } from './accounts/private-root.ts';
export { userNamespacesWork } from './accounts/user-namespaces.ts';
export { LinuxDriver } from './accounts/linux.driver.ts';
export type { AccountDriver, AccountRef, ObservedAccount } from './accounts/account-driver.ts';
export { stateFolder } from './config.ts';
