import { loadConfig, runProcess } from '@stint/host';
import { lapsVaultConfig } from './config.ts';
import { startLapsVault } from './start.ts';

await runProcess(async () => startLapsVault(loadConfig(lapsVaultConfig, process.env)));
