export { startLapsVault, type LapsVaultOptions } from './start.ts';
export { lapsVaultConfig, type LapsVaultConfig } from './config.ts';
