export { startEntraConnector, type EntraConnectorOptions } from './start.ts';
export { entraConnectorConfig, type EntraConnectorConfig } from './config.ts';
