import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, escapeIdentifier } from 'pg';
import { prepareQueue } from '@stint/messaging';
import { migrate, provision, rolesOf } from '@stint/tenancy';

/** One database of a test file, with every service schema it asked for. */
export interface TestDatabase {
  adminUrl: string;
  /** Connection strings of a schema's roles. */
  urls(schema: string): { ownerUrl: string; appUrl: string; systemUrl: string };
  /** A URL for `QUEUE_URL` on this database. */
  queueUrl: string;
  /** Runs SQL as the superuser, past every policy. */
  query<Row>(sql: string): Promise<Row[]>;
  drop(): Promise<void>;
  /** A database with the same content as this one has now: a backup, or what was restored from one. Nobody may be connected to this one. */
  copy(): Promise<TestDatabase>;
}

export interface TestSchema {
  schema: string;
  /** The folder of the schema's migrations. */
  directory: string;
}

/** The server that Jest's global setup started. */
export function testServerUrl(): string {
  const url = process.env['STINT_TEST_POSTGRES'];
  if (url === undefined) throw new Error('No test database server: run the tests by `npm test`, whose global setup starts one.');
  return url;
}

/** A fresh database for a test file, cloned from a template that was migrated once by the real migration files, BullMQ's included. */
export async function createTestDatabase(schemas: readonly TestSchema[]): Promise<TestDatabase> {
  const server = testServerUrl();
  const template = `template_${fingerprint(schemas)}`;
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = new Client({ connectionString: server });
  await admin.connect();
  try {
    // One file at a time: roles are shared by the whole server, and a template must not be in use while it is cloned.
    await admin.query('select pg_advisory_lock(7261)');
    if ((await admin.query('select 1 from pg_database where datname = $1', [template])).rowCount === 0) {
      await admin.query(`drop database if exists ${template}_new with (force)`); // of a run that failed half-way
      await admin.query(`create database ${template}_new`);
      for (const { schema, directory } of schemas) {
        await provision({ adminUrl: on(server, `${template}_new`), schema, passwords: { owner: 'test', app: 'test', system: 'test' } });
        await migrate({ ownerUrl: on(server, `${template}_new`, rolesOf(schema).owner), schema, directory });
      }
      await prepareQueue(on(server, `${template}_new`));
      await admin.query(`alter database ${template}_new rename to ${template}`);
    }
    await admin.query(`create database ${name} template ${template}`);
  } finally {
    await admin.end();
  }
  return opened(server, name);
}

function opened(server: string, name: string): TestDatabase {
  return {
    adminUrl: on(server, name),
    urls: (schema) => {
      const roles = rolesOf(schema);
      return { ownerUrl: on(server, name, roles.owner), appUrl: on(server, name, roles.app), systemUrl: on(server, name, roles.system) };
    },
    queueUrl: on(server, name),
    async query<Row>(sql: string) {
      const superuser = new Client({ connectionString: on(server, name) });
      await superuser.connect();
      try {
        return (await superuser.query(sql)).rows as Row[];
      } finally {
        await superuser.end();
      }
    },
    async drop() {
      const last = new Client({ connectionString: server });
      await last.connect();
      await last.query(`drop database if exists ${escapeIdentifier(name)} with (force)`);
      await last.end();
    },
    async copy() {
      const copied = `test_${randomBytes(6).toString('hex')}`;
      const admin = new Client({ connectionString: server });
      await admin.connect();
      try {
        await admin.query(`create database ${escapeIdentifier(copied)} template ${escapeIdentifier(name)}`);
      } finally {
        await admin.end();
      }
      return opened(server, copied);
    },
  };
}

function on(server: string, database: string, user?: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  if (user !== undefined) {
    url.username = user;
    url.password = 'test';
  }
  return url.href;
}

function fingerprint(schemas: readonly TestSchema[]): string {
  const hash = createHash('sha256');
  const infrastructure = join(import.meta.dirname, '..', '..', 'tenancy', 'sql');
  for (const { schema, directory } of [...schemas, { schema: '', directory: infrastructure }]) {
    hash.update(schema);
    for (const file of readdirSync(directory).sort()) hash.update(file).update(readFileSync(join(directory, file)));
  }
  return hash.digest('hex').slice(0, 16);
}
