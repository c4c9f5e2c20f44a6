export { createTestDatabase, testServerUrl, type TestDatabase, type TestSchema } from './database.ts';
export { freePort } from './free-port.ts';
export { startTestPostgres, type TestPostgres } from './postgres.ts';
export { redisIsInstalled, startTestRedis, type TestRedis } from './redis.ts';
export { unprotected } from './protection.ts';
export { eventually } from './eventually.ts';
export { FakeClock } from './fake-clock.ts';
export { TestGateway } from './principal.ts';
export { PtyTerminal } from './pty-terminal.ts';
