import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, type Clock } from '@stint/kernel';
import { openKeyProvider, privateKeyFromPem } from '@stint/crypto';
import { createLog, type Running } from '@stint/host';
import { startSubgraph } from '@stint/subgraph';
import { migrate, Tenancy } from '@stint/tenancy';
import { AppModule } from './app.module.ts';
import type { EntraConnectorConfig } from './config.ts';
import { GraphTransport } from './graph/graph.transport.ts';
import type { Delay } from './graph/patience.ts';

/** The schema of this service in PostgreSQL. */
export const schema = 'entra_connector';
const migrations = join(import.meta.dirname, '..', 'migrations');

/** So long Microsoft may take for an answer. */
const answerMs = 30_000;

export interface EntraConnectorOptions {
  clock?: Clock;
  /** How calls to Microsoft wait before they are made again. */
  delay?: Delay;
}

/** Starts the service: migrations (when it has the owner's connection), then messages, sweeps and the door for the gateway. */
export async function startEntraConnector(config: EntraConnectorConfig, options: EntraConnectorOptions = {}): Promise<Running> {
  const clock = options.clock ?? systemClock;
  const log = createLog('entra-connector', config.LOG_LEVEL);
  const signingKey = privateKeyFromPem(await readFile(config.MESSAGE_SIGNING_KEY_FILE, 'utf8'));
  if (config.DATABASE_OWNER_URL !== undefined) await migrate({ ownerUrl: config.DATABASE_OWNER_URL, schema, directory: migrations });
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const tenancy = await Tenancy.open({ schema, appUrl: config.DATABASE_URL, systemUrl: config.DATABASE_SYSTEM_URL });
    closing.push(() => tenancy.close());
    const keys = openKeyProvider(config.KEY_PROVIDER);
    closing.push(() => keys.close());
    const subgraph = await startSubgraph({
      name: 'entra-connector',
      module: AppModule.for({
        tenancy,
        clock,
        log,
        keys,
        graph: new GraphTransport({ clock, delay: options.delay ?? ((ms) => delay(ms)), chance: Math.random, timeoutMs: answerMs }),
        settings: { emulatorUrl: config.GRAPH_EMULATOR_URL, publicUrl: config.PUBLIC_URL },
        line: { queueUrl: config.QUEUE_URL, signingKey, publicKeys: config.MESSAGE_PUBLIC_KEYS, log },
      }),
      gatewayPublicKeys: config.GATEWAY_PUBLIC_KEYS,
      host: config.HOST,
      port: config.PORT,
      ready: async () => (await tenancy.asSystem((tx) => tx.query('select 1'))).length === 1,
    });
    closing.push(() => subgraph.close());
    return { url: subgraph.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}
