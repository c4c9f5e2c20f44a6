import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirectory, prepareEnvironments, schemas, type Environments } from '@stint/embedded';
import { GraphEmulator } from '@stint/graph-emulator';
import { createTestDatabase, freePort, type TestDatabase } from '@stint/testing';

/** A whole installation's database, keys and environments, ready to start as one process or as several. */
export interface Installation {
  url: string;
  directory: DataDirectory;
  database: TestDatabase;
  environments: Environments;
  /** Microsoft, as far as it can tell: in the test's own process, so that it outlives those that are killed. */
  graph: GraphEmulator;
  remove(): Promise<void>;
}

/** Makes an installation of its own for a test file, on free ports. `queueUrl` chooses Redis; PostgreSQL otherwise. */
export async function createInstallation(options: { queueUrl?: string } = {}): Promise<Installation> {
  const services = join(import.meta.dirname, '..', '..', 'services');
  const database = await createTestDatabase(
    Object.entries(schemas).map(([service, schema]) => ({ schema, directory: join(services, service, 'migrations') })),
  );
  const directory = new DataDirectory(await mkdtemp(join(tmpdir(), 'stint-e2e-')));
  const graph = await GraphEmulator.start();
  const ports = {
    gateway: await freePort(),
    tenants: await freePort(),
    'jit-policy': await freePort(),
    'laps-vault': await freePort(),
    'entra-connector': await freePort(),
  };
  const environments = await prepareEnvironments(
    directory,
    {
      tenants: database.urls(schemas.tenants),
      'jit-policy': database.urls(schemas['jit-policy']),
      'laps-vault': database.urls(schemas['laps-vault']),
      'entra-connector': database.urls(schemas['entra-connector']),
      queueUrl: options.queueUrl ?? database.queueUrl,
    },
    ports,
    graph.url,
  );
  return {
    url: `http://localhost:${ports.gateway}`,
    directory,
    database,
    environments,
    graph,
    async remove() {
      await graph.stop();
      await database.drop();
      await rm(directory.path, { recursive: true, force: true });
    },
  };
}
