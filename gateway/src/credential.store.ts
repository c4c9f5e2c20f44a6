import { id, permissions, type Access, type Actor } from '@stint/contracts';
import { isId, type Clock } from '@stint/kernel';
import { z } from 'zod';
import { BoundedCache } from './bounded-cache.ts';
import type { SubgraphDataSource } from './subgraph.data-source.ts';

const question = `query GatewayCredential($id: ID!) { credential(id: $id) { id publicKey pending kind subjectId mspId tenantId access { tenantId permissions } } }`;
const rememberMs = 5_000;

const answer = z.object({
  credential: z
    .object({
      id,
      publicKey: z.string(),
      pending: z.boolean(),
      kind: z.enum(['DEVICE', 'CLIENT']),
      subjectId: id,
      mspId: id,
      tenantId: id,
      access: z.array(z.object({ tenantId: id, permissions: z.array(z.enum(permissions)) })),
    })
    .nullable(),
});

/** A registered key and whom it proves. */
export interface KnownCredential {
  id: string;
  /** The `x` of the Ed25519 JWK. */
  publicKey: string;
  /** The new key of a rotation, not used yet. */
  pending: boolean;
  principal: Actor;
}

/** Credentials as the tenants service knows them, remembered for at most 5 seconds: a revoked one gets no token after that. */
export class CredentialStore {
  readonly #tenants: SubgraphDataSource;
  readonly #clock: Clock;
  readonly #known = new BoundedCache<{ until: number; credential: Promise<KnownCredential | null> }>(10_000);

  constructor(tenants: SubgraphDataSource, clock: Clock) {
    this.#tenants = tenants;
    this.#clock = clock;
  }

  /** Null for an id that is not registered or revoked; throws when the tenants service cannot answer. */
  async find(credentialId: string): Promise<KnownCredential | null> {
    if (!isId(credentialId)) return null;
    const now = this.#clock.now().getTime();
    const known = this.#known.get(credentialId);
    if (known && now < known.until) return known.credential;
    const asked = this.#ask(credentialId);
    this.#known.set(credentialId, { until: now + rememberMs, credential: asked });
    // Only what exists is remembered: a failure must not last, and a key may be registered the moment after.
    const credential = await asked.catch((error: unknown) => {
      this.#known.delete(credentialId);
      throw error;
    });
    if (credential === null) this.#known.delete(credentialId);
    return credential;
  }

  /** A new key was used, proved: the ones before it end. */
  async settle({ id: credentialId, pending }: KnownCredential): Promise<void> {
    if (!pending) return;
    await this.#tenants.askAsGateway('mutation ($id: ID!) { settleCredential(id: $id) }', { id: credentialId });
    this.#known.delete(credentialId);
  }

  /** A credential was revoked or changed: ask again for all of them. Rare, and asking is cheap. */
  forgetAll(): void {
    this.#known.clear();
  }

  async #ask(credentialId: string): Promise<KnownCredential | null> {
    const { credential } = answer.parse(await this.#tenants.askAsGateway(question, { id: credentialId }));
    if (credential === null) return null;
    const place = { id: credential.subjectId, mspId: credential.mspId, tenantId: credential.tenantId };
    return {
      id: credential.id,
      publicKey: credential.publicKey,
      pending: credential.pending,
      principal: actor(credential.kind, place, credential.access),
    };
  }
}

function actor(kind: 'DEVICE' | 'CLIENT', place: { id: string; mspId: string; tenantId: string }, access: Access[]): Actor {
  switch (kind) {
    case 'CLIENT':
      return { kind: 'client', ...place, access };
    case 'DEVICE':
      return { kind: 'device', ...place };
  }
}
