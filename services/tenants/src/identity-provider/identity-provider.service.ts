import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '@stint/contracts';
import type { KeyProvider } from '@stint/crypto';
import { invalidInput, newId, notFound, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { checkId } from '../tenant/tenant.service.ts';
import { ALLOW_INSECURE_IDENTITY_PROVIDER, CLOCK, KEYS } from '../tokens.ts';
import { IdentityProviderClient, type Relation } from './identity-provider.client.ts';
import { refuseIssuer, type IdentityProvider } from './identity-provider.domain.ts';
import { IdentityProviderRepository } from './identity-provider.repository.ts';

const visible = z.string().regex(/^[\x21-\x7e]{1,500}$/, 'must have 1 to 500 visible ASCII characters');
const setInput = z.object({
  tenantId: z.string(),
  issuer: z.string(),
  clientId: visible,
  clientSecret: visible.nullish(),
  passkeyToo: z.boolean(),
  required: z.boolean(),
});

/** Where the people of a tenant sign in besides, as its administrators set it. */
@Injectable()
export class IdentityProviderService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly providers: IdentityProviderRepository,
    private readonly client: IdentityProviderClient,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(KEYS) private readonly keys: KeyProvider,
    @Inject(ALLOW_INSECURE_IDENTITY_PROVIDER) private readonly allowInsecure: boolean,
  ) {}

  /** Sets a tenant's identity provider. For the same issuer and client, a secret that is left out stays as it was, and so do the people who are bound. */
  async set(actor: Actor, raw: unknown): Promise<IdentityProvider> {
    const input = checkInput(setInput, raw);
    const wrong = refuseIssuer(input.issuer, this.allowInsecure);
    if (wrong !== null) throw invalidInput('issuer', `issuer: ${wrong}.`);
    const at = checkId(input.tenantId, 'tenant');
    // Read first: only who may set it makes this server call an address.
    const known = await this.tenancy.inTenant(actor, at, (tx) => this.providers.ofTenant(tx, tx.scope.mspId, tx.scope.tenantId));
    // One that is down must not keep anybody from letting passkeys in again.
    const isKnown = known?.issuer === input.issuer && (known.required || !input.required);
    if (!isKnown && !(await this.client.answers(input.issuer, input.clientId)))
      throw invalidInput('issuer', 'issuer: no OpenID provider of this name answers there; look at its /.well-known/openid-configuration.');
    const generated = await this.client.newClientKey();
    return this.tenancy.inTenant(actor, at, async (tx) => {
      const { mspId, tenantId } = tx.scope;
      const before = await this.providers.ofTenant(tx, mspId, tenantId, 'for update');
      const same = before !== null && before.issuer === input.issuer && before.clientId === input.clientId;
      const { issuer, clientId, passkeyToo, required } = input;
      const id = same ? before.id : newId();
      const proof = async () => {
        if (input.clientSecret != null)
          return {
            clientSecret: await this.keys.wrap(Buffer.from(input.clientSecret), proofPlace(mspId, id)),
            clientKey: null,
            clientJwk: null,
          };
        if (same) return { clientSecret: before.clientSecret, clientKey: before.clientKey, clientJwk: before.clientJwk };
        const clientKey = await this.keys.wrap(Buffer.from(JSON.stringify(generated.privateJwk)), proofPlace(mspId, id));
        return { clientSecret: null, clientKey, clientJwk: generated.publicJwk };
      };
      const provider: IdentityProvider = { mspId, tenantId, id, issuer, clientId, ...(await proof()), passkeyToo, required };
      await (same ? this.providers.change(tx, provider) : this.providers.put(tx, provider));
      await audit(tx, {
        ...{ action: 'identity-provider.changed', subjectId: id, occurredAt: this.clock.now() },
        details: { issuer, clientId, passkeyToo, required, newSecret: input.clientSecret != null },
      });
      return provider;
    });
  }

  /** Removes a tenant's identity provider, with whom it means by whom. */
  async remove(actor: Actor, rawTenantId: string): Promise<Id> {
    return this.tenancy.inTenant(actor, checkId(rawTenantId, 'tenant'), async (tx) => {
      const { mspId, tenantId } = tx.scope;
      const before = await this.providers.ofTenant(tx, mspId, tenantId, 'for update');
      if (before === null) throw notFound('identity provider');
      await this.providers.remove(tx, mspId, tenantId);
      await audit(tx, {
        ...{ action: 'identity-provider.removed', subjectId: before.id, occurredAt: this.clock.now(), details: { issuer: before.issuer } },
      });
      return tenantId;
    });
  }

  async ofTenant(actor: Actor, tenantId: Id): Promise<IdentityProvider | null> {
    return this.tenancy.readTenants(actor, (tx) => this.providers.ofTenant(tx, actor.mspId, tenantId));
  }

  /** Who we are to this provider, opened for a call to it. */
  async relation(provider: IdentityProvider): Promise<Relation> {
    const { issuer, clientId, clientSecret, clientKey } = provider;
    const open = async (wrapped: Buffer) => (await this.keys.unwrap(wrapped, proofPlace(provider.mspId, provider.id))).toString();
    if (clientSecret !== null) return { issuer, clientId, proof: { secret: await open(clientSecret) } };
    if (clientKey === null) throw new Error('An identity provider without a proof.');
    return { issuer, clientId, proof: { privateJwk: JSON.parse(await open(clientKey)) as Record<string, string> } };
  }
}

/** Where a wrapped client secret belongs: it opens nowhere else. */
function proofPlace(mspId: Id, providerId: Id): string {
  return `identity-provider:${mspId}:${providerId}`;
}
