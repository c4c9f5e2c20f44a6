import { startTestPostgres, type TestPostgres } from './postgres.ts';

let server: TestPostgres | undefined;

/** Jest's global setup: one PostgreSQL server for the whole run. */
export async function setup(): Promise<void> {
  server = await startTestPostgres();
  process.env['STINT_TEST_POSTGRES'] = server.adminUrl;
}

export async function teardown(): Promise<void> {
  await server?.stop();
}
