export { createTestDatabase, testServerUrl, type TestDatabase, type TestSchema } from './database.ts';
export { startTestPostgres, freePort, type TestPostgres } from './postgres.ts';
export { eventually } from './eventually.ts';
export { FakeClock } from './fake-clock.ts';
export { TestGateway } from './principal.ts';
