import { createPublicKey, createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { provision, rolesOf } from '@stint/tenancy';
import { databasePassword, type DataDirectory } from './data-directory.ts';

/** The schema of each service that has one. */
export const schemas = {
  tenants: 'tenants',
  'jit-policy': 'jit_policy',
  'laps-vault': 'laps_vault',
  'entra-connector': 'entra_connector',
} as const;
type ServiceName = keyof typeof schemas;
const serviceNames = Object.keys(schemas) as ServiceName[];

export type Ports = Record<'gateway' | ServiceName, number>;

/** The environment variables of each process of an installation. */
export type Environments = Record<'gateway' | ServiceName, Record<string, string>>;

/** Connection strings of a service's three roles. */
export interface DatabaseUrls {
  ownerUrl: string;
  appUrl: string;
  systemUrl: string;
}

export interface Databases extends Record<ServiceName, DatabaseUrls> {
  /** Redis or PostgreSQL. */
  queueUrl: string;
}

/** Makes the keys (kept in the data directory) and from them the environment of each process. `graphUrl` is the Graph emulator's. */
export async function prepareEnvironments(
  directory: DataDirectory,
  databases: Databases,
  ports: Ports,
  graphUrl: string,
): Promise<Environments> {
  const gatewayKey = await signingKey(directory, 'gateway.pem');
  const messageKeys = {
    tenants: await signingKey(directory, 'tenants-messages.pem'),
    'jit-policy': await signingKey(directory, 'jit-policy-messages.pem'),
    'laps-vault': await signingKey(directory, 'laps-vault-messages.pem'),
    'entra-connector': await signingKey(directory, 'entra-connector-messages.pem'),
  };
  await directory.secret('vapid.pem', () =>
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  );
  await directory.secret('root.key', () => randomBytes(32).toString('hex'));
  await directory.secret('vault-root.key', () => randomBytes(32).toString('hex'));
  await directory.secret('entra-root.key', () => randomBytes(32).toString('hex'));
  // Not an address: WebAuthn takes only names, and of all names without TLS only this one (W3C Secure Contexts §3.1).
  const publicUrl = `http://localhost:${ports.gateway}`;
  const service = (name: ServiceName) => ({
    PORT: String(ports[name]),
    DATABASE_OWNER_URL: databases[name].ownerUrl,
    DATABASE_URL: databases[name].appUrl,
    DATABASE_SYSTEM_URL: databases[name].systemUrl,
    QUEUE_URL: databases.queueUrl,
    PUBLIC_URL: publicUrl,
    GATEWAY_PUBLIC_KEYS: gatewayKey.publicX,
    MESSAGE_SIGNING_KEY_FILE: messageKeys[name].file,
    LOG_LEVEL: 'warn',
    MESSAGE_PUBLIC_KEYS: Object.entries(messageKeys)
      .map(([of, { publicX }]) => `${of}=${publicX}`)
      .join(','),
  });
  return {
    tenants: { ...service('tenants'), KEY_FILE: directory.at('keys', 'root.key'), VAPID_KEY_FILE: directory.at('keys', 'vapid.pem') },
    'jit-policy': service('jit-policy'),
    'laps-vault': { ...service('laps-vault'), KEY_PROVIDER: `file:${directory.at('keys', 'vault-root.key')}` },
    'entra-connector': {
      ...service('entra-connector'),
      KEY_PROVIDER: `file:${directory.at('keys', 'entra-root.key')}`,
      GRAPH_EMULATOR_URL: graphUrl,
    },
    gateway: {
      PORT: String(ports.gateway),
      PUBLIC_URL: publicUrl,
      SUBGRAPH_URLS: serviceNames.map((name) => `${name}=http://127.0.0.1:${ports[name]}/graphql`).join(','),
      SIGNING_KEY_FILES: gatewayKey.file,
      QUEUE_URL: databases.queueUrl,
    },
  };
}

/** Makes every service's schema and roles in one database, and the queue's. Harmless when they are there already. */
export async function provisionDatabases(directory: DataDirectory, adminUrl: string): Promise<Databases> {
  // The queue has a schema and a role of its own: a service's role cannot reach another's rows through it.
  const queue = await provisionService(directory, adminUrl, 'queue', true);
  return {
    tenants: await provisionService(directory, adminUrl, schemas.tenants),
    'jit-policy': await provisionService(directory, adminUrl, schemas['jit-policy']),
    'laps-vault': await provisionService(directory, adminUrl, schemas['laps-vault']),
    'entra-connector': await provisionService(directory, adminUrl, schemas['entra-connector']),
    queueUrl: queue.ownerUrl,
  };
}

async function signingKey(directory: DataDirectory, name: string): Promise<{ file: string; publicX: string }> {
  const pem = await directory.secret(name, () =>
    generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  );
  const publicX = createPublicKey(createPrivateKey(pem)).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url');
  return { file: directory.at('keys', name), publicX };
}

async function provisionService(
  directory: DataDirectory,
  adminUrl: string,
  schema: string,
  ownerCreatesSchema = false,
): Promise<DatabaseUrls> {
  const passwords = {
    owner: await directory.secret(`database-${schema}-owner`, databasePassword),
    app: await directory.secret(`database-${schema}-app`, databasePassword),
    system: await directory.secret(`database-${schema}-system`, databasePassword),
  };
  await provision({ adminUrl, schema, passwords, ownerCreatesSchema });
  const roles = rolesOf(schema);
  const url = (kind: 'owner' | 'app' | 'system') => {
    const withRole = new URL(adminUrl);
    withRole.username = roles[kind];
    withRole.password = passwords[kind];
    return withRole.href;
  };
  return { ownerUrl: url('owner'), appUrl: url('app'), systemUrl: url('system') };
}
