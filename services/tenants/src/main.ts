import { loadConfig, runProcess } from '@stint/host';
import { tenantsConfig } from './config.ts';
import { startTenants } from './start.ts';

await runProcess(() => startTenants(loadConfig(tenantsConfig, process.env)));
