export { startGateway, type GatewayConfig } from './gateway.ts';
export { gatewayConfig } from './config.ts';
export type { NudgeSource } from './nudge-streams.ts';
