export { emit } from './emit.ts';
export { audit, type AuditRecord } from './audit.ts';
export { Messaging, type MessagingOptions, type MessagingLog } from './messaging.ts';
export type { Handler, Handlers } from './consumer.ts';
export type { SlowSweep, Sweep } from './sweeper.ts';
export { prepareQueue } from './queues.ts';
export { connectBroadcast, type Broadcast, type Topic } from './broadcast.ts';
export type { PublicKeys } from './envelope.ts';
