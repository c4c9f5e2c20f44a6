import { loadConfig, runProcess } from '@stint/host';
import { entraConnectorConfig } from './config.ts';
import { startEntraConnector } from './start.ts';

await runProcess(async () => startEntraConnector(loadConfig(entraConnectorConfig, process.env)));
