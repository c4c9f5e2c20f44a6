import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, escapeIdentifier } from 'pg';
import { rolesOf } from './provision.ts';

const infrastructure = join(import.meta.dirname, '..', 'sql');

/**
 * Brings a service's schema up to date: the shared infrastructure, then every `NNNN-*.sql` of `directory` that has not
 * run yet, each in its own transaction, in order, as the owner role. Forward only; a file that ran and was changed
 * afterwards stops the start. Safe when several replicas start at once.
 */
export async function migrate(options: { ownerUrl: string; schema: string; directory: string }): Promise<void> {
  const owner = new Client({ connectionString: options.ownerUrl });
  await owner.connect();
  const roles = rolesOf(options.schema);
  const prepare = (sql: string) => sql.replaceAll(/:(app|system)\b/g, (_, kind: 'app' | 'system') => escapeIdentifier(roles[kind]));
  try {
    await owner.query(`set search_path = ${escapeIdentifier(options.schema)}`);
    await owner.query('select pg_advisory_lock(hashtext($1))', [`stint-migrate:${options.schema}`]);
    for (const file of await sqlFiles(infrastructure)) {
      await owner.query(prepare(await readFile(join(infrastructure, file), 'utf8')));
    }
    await owner.query(
      'create table if not exists migration (name text primary key, checksum text not null, ran_at timestamptz not null default now())',
    );
    const ran = new Map(
      (await owner.query<{ name: string; checksum: string }>('select name, checksum from migration')).rows.map((row) => [
        row.name,
        row.checksum,
      ]),
    );
    for (const file of await sqlFiles(options.directory)) {
      const sql = await readFile(join(options.directory, file), 'utf8');
      const checksum = createHash('sha256').update(sql).digest('hex');
      const known = ran.get(file);
      if (known === checksum) continue;
      if (known !== undefined)
        throw new Error(`Migration ${file} of ${options.schema} was changed after it ran. Restore it and write a new file instead.`);
      await runOne(owner, file, prepare(sql), checksum);
    }
  } finally {
    await owner.end();
  }
}

async function sqlFiles(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
}

async function runOne(owner: Client, file: string, sql: string, checksum: string): Promise<void> {
  await owner.query('begin');
  try {
    await owner.query(sql);
    await owner.query('insert into migration (name, checksum) values ($1, $2)', [file, checksum]);
    await owner.query('commit');
  } catch (error) {
    await owner.query('rollback');
    throw new Error(`Migration ${file} failed: ${(error as Error).message}`, { cause: error });
  }
}
