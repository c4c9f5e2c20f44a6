// What the tests of the whole need of this package's own.
export { checkOrders, type Trouble, type VaultUnderTest } from './laps-orders.ts';
export { MemoryVault } from './memory-vault.ts';
export { describeWithRealTools } from './private-machine.ts';
export { quickTools } from './quick-tools.ts';
export { runInNamespace } from '../accounts/tool-runner.ts';
export type { LapsReport, LapsServer, LapsState } from '../laps/laps-server.ts';
