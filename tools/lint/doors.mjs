// One door per dependency: each of these may be used in one place only, and the message says where the code goes instead.
import { matchesGlob, relative } from 'node:path';
import { isPackage, visitImports } from './imports.mjs';

const specs = ['**/*.{spec,int-spec,e2e-spec,support}.ts', '*/*/src/testing/**'];
const nodeCiphers = [
  'createCipheriv',
  'createDecipheriv',
  'createECDH',
  'diffieHellman',
  'encapsulate',
  'decapsulate',
  'privateDecrypt',
  'privateEncrypt',
  'publicDecrypt',
  'publicEncrypt',
  'subtle',
  'webcrypto',
];

/** `packages` all of it, `names` only these exports of a module, `members` only `object.property`; `open` to these files. */
export const doors = [
  {
    door: 'database',
    packages: ['typeorm', 'pg', 'pg-*', '@nestjs/typeorm'],
    open: ['libs/{tenancy,messaging,testing}/**', 'deploy/embedded/**', '**/*.repository.ts', '**/*.entity.ts'],
    instead: 'Put SQL and rows into a *.repository.ts, which gets its transaction from @stint/tenancy.',
  },
  {
    door: 'queue',
    packages: ['bullmq', 'ioredis', '@nestjs/bullmq', 'redis'],
    open: ['libs/messaging/**'],
    instead: 'Declare a message in @stint/contracts, emit() it through @stint/messaging, and handle it in a *.consumer.ts.',
  },
  {
    door: 'ciphers',
    packages: ['@hpke/*', '@noble/*', 'node-forge', 'crypto-js', 'tweetnacl', 'pkcs11js', '@aws-sdk/*'],
    names: { 'node:crypto': nodeCiphers, crypto: nodeCiphers },
    members: ['crypto.subtle'],
    // Browsers have their own; so has one that a test plays, to read push messages.
    open: ['libs/crypto/**', 'clients/console/src/crypto/**', 'services/tenants/src/push/*.support.ts'],
    instead: 'Sealing, wrapping and key agreement belong into libs/crypto; call what it exports.',
  },
  {
    door: 'one-time codes',
    packages: ['otpauth', 'speakeasy', 'otplib'],
    // The demo plays a technician's phone; the console is one.
    open: ['libs/crypto/**', 'clients/console/src/crypto/**', 'deploy/embedded/**', ...specs],
    instead: 'Codes of authenticator apps are made and checked in libs/crypto. Tests may use the package as a second opinion.',
  },
  {
    door: 'identity providers',
    packages: ['openid-client'],
    open: ['services/tenants/src/identity-provider/*.client.ts'],
    instead: 'Identity providers are asked by services/tenants only, in identity-provider.client.ts, outside every transaction.',
  },
  {
    door: 'environment',
    names: { 'node:process': ['env'], process: ['env'] },
    members: ['process.env'],
    open: [
      '**/config.ts',
      '**/*.config.{ts,mjs}',
      '**/main.ts',
      'deploy/embedded/src/demo.ts',
      ...specs,
      'libs/testing/**',
      'e2e/**',
      'tools/**',
    ],
    instead: 'Add the value to the Zod schema in config.ts and pass it on from there.',
  },
  {
    door: 'Microsoft Graph',
    packages: ['@microsoft/*', '@azure/*'],
    open: ['services/entra-connector/**', 'libs/graph-emulator/**'],
    instead: 'Microsoft Graph is called by services/entra-connector only, behind its directory port.',
  },
  {
    door: 'unguarded Entra',
    packages: ['unguarded-access.ts', 'connection/entra-access.service.ts'].flatMap((file) => [
      `../graph/${file}`,
      `./graph/${file}`,
      `../${file}`,
      `./${file}`,
    ]),
    open: ['services/entra-connector/src/{app.module.ts,break-glass/*,connection/*,graph/*}', ...specs],
    instead: 'Inject EntraAccess: it does nothing to break-glass accounts. Only src/break-glass may change their passwords.',
  },
  {
    door: 'LDAP',
    packages: ['ldapts', 'ldapjs'],
    open: ['clients/agent/**'],
    instead: 'Directories are reached by the agent on a domain controller only (clients/agent).',
  },
];

export const door = {
  meta: {
    type: 'problem',
    docs: { description: 'one door per dependency' },
    schema: [],
    messages: { closed: '{{used}} is behind the door "{{door}}". {{instead}}' },
  },
  create(context) {
    const file = relative(context.cwd, context.filename);
    const closed = doors.filter(({ open }) => !open.some((pattern) => matchesGlob(file, pattern)));
    if (closed.length === 0) return {};
    const report = (node, used, { door: name, instead }) =>
      context.report({ node, messageId: 'closed', data: { used, door: name, instead } });
    const reportMember = (node, object, property) => {
      const used = `${object}.${property}`;
      for (const entry of closed) if (entry.members?.includes(used)) report(node, used, entry);
    };
    return {
      ...visitImports(({ node, source, names }) => {
        for (const entry of closed) {
          if (entry.packages?.some((pattern) => isPackage(source, pattern))) report(node, source, entry);
          const restricted = entry.names?.[source];
          if (restricted === undefined) continue;
          // The whole module: `import process from 'node:process'` is watched by its members, but crypto.* could be anything.
          if (names === null && source.endsWith('crypto')) report(node, `${source} as a whole (import by name)`, entry);
          for (const name of names ?? []) if (restricted.includes(name)) report(node, `${name} of ${source}`, entry);
        }
      }),
      MemberExpression(node) {
        const object = node.object.type === 'MemberExpression' ? node.object.property : node.object;
        if (object.type !== 'Identifier') return;
        reportMember(node, object.name, node.computed ? node.property.value : node.property.name);
      },
      'VariableDeclarator[init.type="Identifier"] > ObjectPattern > Property'(node) {
        reportMember(node, node.parent.parent.init.name, node.key.name ?? node.key.value);
      },
    };
  },
};
