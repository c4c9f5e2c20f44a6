import { DataSource, type EntityManager, type EntitySchema, type QueryRunner } from 'typeorm';
import { notFound, type Id } from '@stint/kernel';
import { reachOf, type Actor } from '@stint/contracts';

/** A running transaction. Gone when the work given to `Tenancy` returns: never keep one. */
export interface Tx {
  /** Runs SQL with `$1…` parameters and answers the rows (of `returning`, for statements that change). */
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** TypeORM bound to this transaction. */
  readonly orm: EntityManager;
  /** Runs after the commit, and not at all after a rollback. For hints only: the process may die in between. */
  afterCommit(run: () => void): void;
}

declare const brand: unique symbol;

/** Reads everything in the caller's reach: the tenants of its access and all below them. Cannot write. */
export interface ReadTx extends Tx {
  readonly [brand]: 'read';
  readonly scope: { readonly mspId: Id; readonly actor: Actor };
}

/** Reads and writes the rows of one tenant. */
export interface TenantTx extends Tx {
  readonly [brand]: 'tenant';
  readonly scope: { readonly mspId: Id; readonly tenantId: Id; readonly actor: Actor };
}

/** Crosses tenants as the system role: consumers, sweepers, first start. Never in request code. */
export interface SystemTx extends Tx {
  readonly [brand]: 'system';
}

export interface TenancyOptions {
  schema: string;
  /** Connection string of the app role. */
  appUrl: string;
  /** Connection string of the system role. */
  systemUrl: string;
  entities?: (EntitySchema | (new () => object))[];
  /** Connections of each of the two pools; 10 by default. */
  poolSize?: number;
}

// Deadlock and serialization failures: PostgreSQL asks to run the whole transaction again
// (https://www.postgresql.org/docs/current/errcodes-appendix.html, class 40).
const retriable = new Set(['40P01', '40001']);
const maxAttempts = 5;

/** The only way to the database. Each method runs `work` in one transaction; a throw rolls it back. */
export class Tenancy {
  readonly #app: DataSource;
  readonly #system: DataSource;

  private constructor(app: DataSource, system: DataSource) {
    this.#app = app;
    this.#system = system;
  }

  static async open(options: TenancyOptions): Promise<Tenancy> {
    const source = (url: string, role: string) =>
      new DataSource({
        type: 'postgres',
        url,
        entities: options.entities ?? [],
        synchronize: false,
        logging: false,
        poolSize: options.poolSize ?? 10,
        applicationName: `stint-${options.schema}-${role}`,
        invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
      });
    const tenancy = new Tenancy(source(options.appUrl, 'app'), source(options.systemUrl, 'system'));
    await Promise.all([tenancy.#app.initialize(), tenancy.#system.initialize()]);
    return tenancy;
  }

  /** Reads and writes one tenant. Problem `NotFound` when the tenant does not exist or is out of the actor's reach. */
  async inTenant<T>(actor: Actor, tenantId: Id, work: (tx: TenantTx) => Promise<T>): Promise<T> {
    return this.#run(this.#app, async (tx, runner) => {
      if (!(await enter(runner, actor, tenantId, false))) throw notFound('tenant');
      return work(Object.assign(tx, { scope: { mspId: actor.mspId, tenantId, actor } }) as TenantTx & typeof tx);
    });
  }

  /**
   * Like `inTenant` for a row known by its own id: `find` looks in the actor's whole reach for the tenant that the row
   * belongs to, and the rest of the same transaction is scoped to it. Problem `NotFound` about `thing` when it answers null.
   */
  async inTenantOf<T>(
    actor: Actor,
    thing: string,
    find: (tx: ReadTx) => Promise<Id | null>,
    work: (tx: TenantTx) => Promise<T>,
  ): Promise<T> {
    return this.#run(this.#app, async (tx, runner) => {
      await enter(runner, actor, null, false);
      const tenantId = await find(
        Object.assign(Object.create(tx) as typeof tx, { scope: { mspId: actor.mspId, actor } }) as unknown as ReadTx,
      );
      if (tenantId === null || !(await enter(runner, actor, tenantId, false))) throw notFound(thing);
      return work(Object.assign(tx, { scope: { mspId: actor.mspId, tenantId, actor } }) as TenantTx & typeof tx);
    });
  }

  /** Reads everything in the actor's reach, in a READ ONLY transaction. */
  async readTenants<T>(actor: Actor, work: (tx: ReadTx) => Promise<T>): Promise<T> {
    return this.#run(this.#app, async (tx, runner) => {
      await enter(runner, actor, null, true);
      return work(Object.assign(tx, { scope: { mspId: actor.mspId, actor } }) as ReadTx & typeof tx);
    });
  }

  /** Works across tenants as the system role. */
  async asSystem<T>(work: (tx: SystemTx) => Promise<T>): Promise<T> {
    return this.#run(this.#system, (tx) => work(tx as SystemTx & typeof tx));
  }

  async close(): Promise<void> {
    await Promise.all([this.#app.destroy(), this.#system.destroy()]);
  }

  async #run<T>(source: DataSource, work: (tx: Tx, runner: QueryRunner) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(source, work);
      } catch (error) {
        const code = (error as { driverError?: { code?: string } }).driverError?.code;
        if (attempt === maxAttempts || code === undefined || !retriable.has(code)) throw error;
      }
    }
  }
}

async function enter(runner: QueryRunner, actor: Actor, tenantId: Id | null, readOnly: boolean): Promise<boolean> {
  const rows = (await runner.query('select stint_enter($1, $2, $3, $4, $5) as reached', [
    actor.mspId,
    reachOf(actor),
    actor.id,
    tenantId,
    readOnly,
  ])) as {
    reached: boolean;
  }[];
  return rows[0]?.reached === true;
}

async function once<T>(source: DataSource, work: (tx: Tx, runner: QueryRunner) => Promise<T>): Promise<T> {
  const runner = source.createQueryRunner();
  const afterCommit: (() => void)[] = [];
  const tx: Tx = {
    async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
      const result = await runner.query(sql, [...values], true);
      return result.records as Row[];
    },
    orm: runner.manager,
    afterCommit: (run) => void afterCommit.push(run),
  };
  try {
    await runner.startTransaction();
    const result = await work(tx, runner);
    await runner.commitTransaction();
    for (const run of afterCommit) run();
    return result;
  } catch (error) {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  } finally {
    await runner.release();
  }
}
