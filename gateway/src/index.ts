export { startGatewayFromEnv } from './start-from-env.ts';
export { startGateway, type GatewayConfig } from './gateway.ts';
export { gatewayConfig } from './config.ts';
export type { HintSource } from './nudge-streams.ts';
