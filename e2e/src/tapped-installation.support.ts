import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, redisIsInstalled, startTestRedis, type TestRedis } from '@stint/testing';
import { createInstallation, type Installation } from './installation.ts';
import { Processes } from './processes.ts';
import { WireRecorder } from './wire-recorder.support.ts';

const hasRedis = redisIsInstalled();
if (!hasRedis) process.stderr.write('The queue is looked at in PostgreSQL only: redis-server is not installed.\n');

/** An installation of processes with a recorder on every wire between two of them, and every log at its most talkative. */
export class TappedInstallation {
  readonly installation: Installation;
  readonly processes: Processes;
  readonly redis: TestRedis | null;
  readonly #wires: Record<string, WireRecorder> = {};
  readonly #queueDumps: Buffer[] = [];

  private constructor(installation: Installation, redis: TestRedis | null) {
    this.installation = installation;
    this.redis = redis;
    this.processes = new Processes(installation, 'trace');
  }

  static async start(): Promise<TappedInstallation> {
    const redis = hasRedis ? await startTestRedis() : null;
    const tapped = new TappedInstallation(await createInstallation(redis === null ? {} : { queueUrl: redis.url }), redis);
    await tapped.#listenIn();
    await tapped.processes.startAll();
    return tapped;
  }

  async stop(): Promise<void> {
    await this.processes.stopAll();
    for (const wire of Object.values(this.#wires)) await wire.stop();
    await this.redis?.stop();
    await this.installation.remove();
  }

  /** Keeps what the queue holds now. */
  async dumpQueue(): Promise<void> {
    if (this.redis !== null) this.#queueDumps.push(await this.redis.dump());
  }

  /** All that was heard and written anywhere, by where. */
  async places(): Promise<Record<string, Buffer | string>> {
    await this.dumpQueue();
    return {
      ...Object.fromEntries(Object.entries(this.#wires).map(([name, wire]) => [name, wire.heard])),
      'the rows of PostgreSQL': await this.#rows(),
      'dumps of Redis': Buffer.concat(this.#queueDumps),
      'logs of the services and the gateway': this.processes.output,
      'files of the installation and the computer': await filesIn(this.installation.directory.path),
    };
  }

  /** Puts a recorder on every way between two processes. */
  async #listenIn(): Promise<void> {
    const { environments, url, database } = this.installation;
    const hidden = await freePort();
    this.#wires['traffic between clients and the gateway'] = await WireRecorder.before(
      `http://localhost:${hidden}`,
      Number(new URL(url).port),
    );
    const sql = await WireRecorder.before(database.adminUrl);
    this.#wires['traffic between services and PostgreSQL'] = sql;
    const queue = this.redis === null ? sql : await WireRecorder.before(this.redis.url);
    if (this.redis !== null) this.#wires['traffic between services and Redis'] = queue;
    for (const environment of Object.values(environments) as Record<string, string>[])
      for (const [name, value] of Object.entries(environment)) {
        if (/^DATABASE_.*URL$/.test(name)) environment[name] = sql.through(value);
        if (name === 'QUEUE_URL') environment[name] = queue.through(value);
      }
    const gateway = environments.gateway as Record<string, string>;
    gateway['PORT'] = String(hidden);
    const subgraphs = (gateway['SUBGRAPH_URLS'] ?? '').split(',').map((pair) => pair.split('=') as [string, string]);
    const recorded = subgraphs.map(async ([name, address]) => {
      const wire = await WireRecorder.before(address);
      this.#wires[`traffic between the gateway and ${name}`] = wire;
      return `${name}=${wire.through(address)}`;
    });
    gateway['SUBGRAPH_URLS'] = (await Promise.all(recorded)).join(',');
  }

  async #rows(): Promise<string> {
    const { database } = this.installation;
    const tables = await database.query<{ name: string }>(
      `select format('%I.%I', table_schema, table_name) as name from information_schema.tables where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
    );
    const texts = await Promise.all(tables.map(({ name }) => database.query<{ row: string }>(`select t::text as row from ${name} t`)));
    return texts.flatMap((lines) => lines.map(({ row }) => row)).join('\n');
  }
}

/** All files of a folder and below, one after the other. */
export async function filesIn(folder: string): Promise<Buffer> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  return Buffer.concat(await Promise.all(all.filter((one) => one.isFile()).map((one) => readFile(join(one.parentPath, one.name)))));
}
