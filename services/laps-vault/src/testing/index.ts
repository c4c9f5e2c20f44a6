// What the tests of the whole need of this package's own.
export { keptAs, vaultKeys } from './password-world.ts';
export { TestLapsVault } from './test-laps-vault.ts';
export { World } from './world.ts';
export { VersionRepository } from '../account/version.repository.ts';
export { VaultKeyRepository } from '../vault-key/vault-key.repository.ts';
