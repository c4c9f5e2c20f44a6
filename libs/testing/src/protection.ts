import type { TestDatabase } from './database.ts';

/** Tables that are nobody's: libs/tenancy/sql and single rows of the installation itself. Request code cannot read them. */
const tenantless = ['inbox', 'outbox', 'migration', 'first_link', 'sign_in_artefact', 'passkey_challenge', 'identity_provider_sign_in'];

/**
 * What is wrong with the protection of a schema's tables, one line each; empty when all is well. Reads the catalogue, so
 * that a new table is covered without new code: every table has forced row-level security, a policy for the app role
 * that looks at the scope, columns `msp_id` and `tenant_id` that are never null with a key that begins with `msp_id`,
 * an owner who is not the app role, and no role of the service is a superuser or bypasses row-level security.
 */
export async function unprotected(database: TestDatabase, schema: string): Promise<string[]> {
  const tables = await database.query<{
    name: string;
    forced: boolean;
    owner: string;
    scoped: boolean;
    columns: number;
    key: string | null;
    readable: boolean;
  }>(`
    select c.relname as name,
      c.relrowsecurity and c.relforcerowsecurity as forced,
      pg_get_userbyid(c.relowner) as owner,
      exists (select 1 from pg_policies p where p.schemaname = '${schema}' and p.tablename = c.relname and '${schema}_app' = any(p.roles)
        and p.qual like '%stint_msp()%' and p.with_check like '%stint_tenant()%') as scoped,
      (select count(*)::int from pg_attribute a where a.attrelid = c.oid and a.attname in ('msp_id', 'tenant_id') and a.attnotnull) as columns,
      (select a.attname from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0] where i.indrelid = c.oid and i.indisprimary) as key,
      has_table_privilege('${schema}_app', c.oid, 'select') as readable
    from pg_class c where c.relnamespace = '${schema}'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')`);
  const roles = await database.query<{ rolname: string }>(
    `select rolname from pg_roles where rolname like '${schema}\\_%' and (rolsuper or rolbypassrls)`,
  );
  const faults = tables.flatMap((table) => {
    if (tenantless.includes(table.name)) return table.readable ? [`${table.name} can be read by the app role`] : [];
    return [
      ...(table.forced ? [] : [`${table.name} has no forced row-level security`]),
      ...(table.scoped ? [] : [`${table.name} has no policy that looks at the scope`]),
      ...(table.columns === 2 && table.key === 'msp_id' ? [] : [`${table.name} does not lead with msp_id, or lacks tenant_id`]),
      ...(table.owner === `${schema}_owner` ? [] : [`${table.name} belongs to ${table.owner}`]),
    ];
  });
  return [...faults, ...roles.map(({ rolname }) => `${rolname} is past every policy`)];
}
