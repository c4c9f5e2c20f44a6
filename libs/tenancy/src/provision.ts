import { Client, escapeIdentifier, escapeLiteral } from 'pg';

/** The three roles of a service's schema: who owns the tables, who serves requests, who works across tenants. */
export interface ServiceRoles {
  owner: string;
  app: string;
  system: string;
}

/** Role names by convention: `<schema>_owner`, `<schema>_app`, `<schema>_system`. */
export function rolesOf(schema: string): ServiceRoles {
  return { owner: `${schema}_owner`, app: `${schema}_app`, system: `${schema}_system` };
}

/**
 * Makes a service's schema and its three roles in the database of `adminUrl`; harmless when they are there already.
 * None of the roles is a superuser or bypasses row-level security. `passwords` are set anew at each call.
 * `ownerCreatesSchema` lets the owner say `create schema if not exists` itself, as BullMQ's migrations do.
 */
export async function provision(options: {
  adminUrl: string;
  schema: string;
  passwords: ServiceRoles;
  ownerCreatesSchema?: boolean;
}): Promise<void> {
  const admin = new Client({ connectionString: options.adminUrl });
  await admin.connect();
  try {
    const roles = rolesOf(options.schema);
    const schema = escapeIdentifier(options.schema);
    for (const kind of ['owner', 'app', 'system'] as const) {
      const role = escapeIdentifier(roles[kind]);
      const known = await admin.query('select 1 from pg_roles where rolname = $1', [roles[kind]]);
      const verb = known.rowCount === 0 ? 'create' : 'alter';
      await admin.query(
        `${verb} role ${role} login nosuperuser nocreatedb nocreaterole password ${escapeLiteral(options.passwords[kind])}`,
      );
      await admin.query(`alter role ${role} set search_path = ${schema}`);
    }
    await admin.query(`create schema if not exists ${schema} authorization ${escapeIdentifier(roles.owner)}`);
    if (options.ownerCreatesSchema === true) {
      const [{ name } = { name: '' }] = (await admin.query<{ name: string }>('select current_database() as name')).rows;
      await admin.query(`grant create on database ${escapeIdentifier(name)} to ${escapeIdentifier(roles.owner)}`);
    }
    await admin.query(`grant usage on schema ${schema} to ${escapeIdentifier(roles.app)}, ${escapeIdentifier(roles.system)}`);
  } finally {
    await admin.end();
  }
}
