// A whole gateway on two stand-in subgraphs, with credentials that exist only in this file's memory.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Actor, Principal } from '@stint/contracts';
import { newId, type Clock } from '@stint/kernel';
import { createLog } from '@stint/host';
import { StintClient } from '@stint/sdk';
import { freePort } from '@stint/testing';
import { GraphQLError } from 'graphql';
import { startGateway } from './gateway.ts';
import type { HintSource } from './nudge-streams.ts';
import { startStandIn, type StandIn, type StandInContext } from './stand-in.support.ts';

export interface TestCredential {
  id: string;
  privateKey: KeyObject;
  publicKey: string;
  principal: Actor;
}

type Topic = Parameters<HintSource['subscribe']>[0];

export class InMemoryHints {
  readonly #receivers = new Set<{ topic: Topic; receive: (body: string) => void }>();

  subscribe(topic: Topic, receive: (body: string) => void): () => void {
    const receiver = { topic, receive };
    this.#receivers.add(receiver);
    return () => this.#receivers.delete(receiver);
  }

  publish(body: string, on: Topic = 'device-nudge'): void {
    for (const { topic, receive } of this.#receivers) if (topic === on) receive(body);
  }
}

export interface TestGateway {
  url: string;
  signingKey: KeyObject;
  hints: InMemoryHints;
  tenants: StandIn;
  jitPolicy: StandIn;
  register(kind: 'device' | 'client'): TestCredential;
  revoke(credential: TestCredential): void;
  client(credential?: TestCredential): StintClient;
  close(): Promise<void>;
}

export const tenantId = '019ab0c0-0000-7000-8000-000000000001';
export const grantId = '019ab0c0-0000-7000-8000-000000000002';
/** Stands for a secret in a subgraph's error; must never come out of the gateway. */
export const canary = 'canary-7f3b1c';

export async function startTestGateway(options: { clock?: Clock; introspection?: boolean } = {}): Promise<TestGateway> {
  const { privateKey: signingKey } = generateKeyPairSync('ed25519');
  const credentials = new Map<string, TestCredential>();
  const hints = new InMemoryHints();
  const [tenants, jitPolicy, lapsVault, entraConnector] = await Promise.all([
    startStandIn('tenants', tenantsResolvers(credentials), signingKey),
    startStandIn('jit-policy', jitPolicyResolvers(), signingKey),
    startStandIn('laps-vault', {}, signingKey),
    startStandIn('entra-connector', {}, signingKey),
  ]);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const gateway = await startGateway({
    host: '127.0.0.1',
    port,
    publicUrl: url,
    subgraphUrls: { tenants: tenants.url, 'jit-policy': jitPolicy.url, 'laps-vault': lapsVault.url, 'entra-connector': entraConnector.url },
    signingKeys: [signingKey],
    hints,
    log: createLog('gateway', 'silent'),
    introspection: options.introspection ?? false,
    ...(options.clock ? { clock: options.clock } : {}),
  });
  return {
    url,
    signingKey,
    hints,
    tenants,
    jitPolicy,
    register(kind) {
      const pair = generateKeyPairSync('ed25519');
      const place = { id: newId(), mspId: tenantId, tenantId };
      const credential: TestCredential = {
        id: newId(),
        privateKey: pair.privateKey,
        publicKey: pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url'),
        principal:
          kind === 'device' ? { kind, ...place } : { kind, ...place, access: [{ tenantId: place.tenantId, permissions: ['tenant.read'] }] },
      };
      credentials.set(credential.id, credential);
      return credential;
    },
    revoke: (credential) => void credentials.delete(credential.id),
    client: (credential) => new StintClient({ url, ...(credential ? { credential } : {}) }),
    async close() {
      await gateway.close();
      await Promise.all([tenants, jitPolicy, lapsVault, entraConnector].map((subgraph) => subgraph.close()));
    },
  };
}

interface Args {
  id: string;
  input: { id: string };
}

export function tenantsResolvers(credentials: Map<string, TestCredential>) {
  const refuse = (code: string, message: string) => new GraphQLError(message, { extensions: { code, secret: canary } });
  return {
    Query: {
      viewer: (_root: never, _args: never, { principal }: StandInContext) => {
        if (!('id' in principal)) throw refuse('UNAUTHENTICATED', 'Sign in first.');
        const access = 'access' in principal ? principal.access : [];
        return {
          kind: principal.kind.toUpperCase(),
          id: principal.id,
          tenant: { id: principal.tenantId },
          access: access.map(({ tenantId, permissions }) => ({ tenant: { id: tenantId }, permissions })),
        };
      },
      thisDevice: (_root: never, _args: never, { principal }: StandInContext) => deviceOf(principal),
      tenant: (_root: never, { id }: Args) => (id === tenantId ? { id } : null),
      tenants: () => ({ edges: [{ cursor: 'c', node: { id: tenantId } }], pageInfo: { hasNextPage: false, endCursor: 'c' } }),
      technician: () => {
        throw refuse('FORBIDDEN', 'You need the permission technician.read for this.');
      },
      group: () => {
        throw new Error(`connection to db failed: password=${canary}`);
      },
      device: () => ({ id: newId() }),
      credential: (_root: never, { id }: Args, { principal }: StandInContext) => {
        if (principal.kind !== 'gateway') throw refuse('FORBIDDEN', 'Only for the gateway.');
        const known = credentials.get(id);
        if (!known) return null;
        const { kind, id: subjectId, mspId } = known.principal;
        return {
          id,
          publicKey: known.publicKey,
          pending: false,
          kind: kind.toUpperCase(),
          subjectId,
          mspId,
          tenantId,
          access: 'access' in known.principal ? known.principal.access : [],
        };
      },
    },
    Mutation: {
      createTenant: (_root: never, { input }: Args) => ({ __typename: 'Tenant', id: input.id }),
    },
    Tenant: {
      __resolveReference: ({ id }: Args) => ({ id }),
      name: () => 'Example',
      createdAt: () => '2026-11-23T12:00:00.000Z',
    },
    Device: {
      __resolveReference: ({ id }: Args) => ({ id }),
      hostName: () => 'ws-1',
    },
    Technician: { __resolveReference: ({ id }: Args) => ({ id }), displayName: () => 'Anna' },
  };
}

function deviceOf(principal: Principal): { id: string } {
  if (principal.kind !== 'device') throw new GraphQLError('Only for devices.', { extensions: { code: 'FORBIDDEN' } });
  return { id: principal.id };
}

export function jitPolicyResolvers() {
  const grant = {
    __typename: 'Grant',
    id: grantId,
    state: 'ACTIVE',
    technician: { id: grantId },
    device: { id: grantId },
    accountName: 'jit-anna',
    approvedAt: '2026-11-23T12:00:00.000Z',
  };
  return {
    Query: { grant: (_root: never, { id }: Args) => (id === grantId ? grant : null) },
    Mutation: {
      startLogin: () => ({ __typename: 'Conflict', message: 'A login is open already.' }),
      endGrant: (_root: never, { input }: Args) =>
        input.id === grantId ? grant : { __typename: 'NotFound', message: 'No grant with this id is visible to you.' },
    },
    Device: {
      __resolveReference: ({ id }: Args) => ({ id }),
      desiredState: () => ({ revision: 7, accounts: [], checkInSeconds: 60 }),
    },
    Tenant: {
      __resolveReference: ({ id }: Args) => ({ id }),
      grants: () => ({ edges: [{ cursor: 'c', node: grant }], pageInfo: { hasNextPage: false } }),
    },
  };
}
