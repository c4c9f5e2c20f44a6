import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { email } from '@stint/contracts';
import { hashToken, newToken, type KeyProvider } from '@stint/crypto';
import { addSeconds, Problem, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import { TechnicianRepository } from '../technician/technician.repository.ts';
import { CLOCK, KEYS, PUBLIC_URL } from '../tokens.ts';
import { IdentityProviderClient, type SignInSecrets } from './identity-provider.client.ts';
import { whoCameBack, type IdentityProvider, type Vouched } from './identity-provider.domain.ts';
import { IdentityProviderRepository } from './identity-provider.repository.ts';
import { IdentityProviderService } from './identity-provider.service.ts';

const startInput = z.object({ email, redirectUri: z.url() });
const finishInput = z.object({ transaction: z.string().max(64), callbackUrl: z.url().max(8_000) });
/** How long somebody may take at the identity provider. */
const awaySeconds = 600;

/** Somebody for whom an identity provider vouches. */
export interface IdentityProviderSignedIn {
  technicianId: Id;
  mspId: Id;
  tenantId: Id;
  passkeyToo: boolean;
  signedInAt: Date;
}
interface Kept extends SignInSecrets {
  redirectUri: string;
}

/** Signing in at the MSP's own identity provider, for the gateway. The network is asked between transactions, never in one. */
@Injectable()
export class IdentityProviderSignInService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly providers: IdentityProviderRepository,
    private readonly service: IdentityProviderService,
    private readonly client: IdentityProviderClient,
    private readonly technicians: TechnicianRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(KEYS) private readonly keys: KeyProvider,
    @Inject(PUBLIC_URL) private readonly publicUrl: string,
  ) {}

  /** Where to send the browser of somebody with this address. An unknown address is refused like a known one without an identity provider. */
  async start(raw: unknown): Promise<{ url: string; transaction: string }> {
    const input = checkInput(startInput, raw);
    if (new URL(input.redirectUri).origin !== new URL(this.publicUrl).origin)
      throw new Error('The gateway named an address to return to that is not ours.');
    const provider = await this.tenancy.asSystem((tx) => this.#providerOf(tx, input.email));
    if (provider === null) throw refused('There is no identity provider for this address. Use your passkey.');
    const begun = await this.client.begin(await this.service.relation(provider), input.redirectUri, input.email).catch(() => null);
    if (begun === null) throw refused('Your identity provider does not answer. Try again in a moment, or ask your administrator.');
    const transaction = newToken();
    const hash = hashToken(transaction);
    const kept: Kept = { ...begun.secrets, redirectUri: input.redirectUri };
    const secrets = await this.keys.wrap(Buffer.from(JSON.stringify(kept)), signInPlace(hash));
    await this.tenancy.asSystem((tx) => this.providers.putSignIn(tx, hash, provider, secrets, addSeconds(this.clock.now(), awaySeconds)));
    return { url: begun.url, transaction };
  }

  /** Who has come back with this address (`callbackUrl`, whole). Once, and only with what was sent along. */
  async finish(raw: unknown): Promise<IdentityProviderSignedIn> {
    const input = checkInput(finishInput, raw);
    const now = this.clock.now();
    const hash = hashToken(input.transaction);
    const taken = await this.tenancy.asSystem(async (tx) => {
      const signIn = await this.providers.takeSignIn(tx, hash, now);
      const provider = signIn === null ? null : await this.providers.find(tx, signIn.mspId, signIn.providerId);
      return signIn === null || provider === null ? null : { provider, secrets: signIn.secrets };
    });
    if (taken === null) throw refused('This sign-in took too long or was finished already. Start again.');
    const kept = JSON.parse((await this.keys.unwrap(taken.secrets, signInPlace(hash))).toString()) as Kept;
    const callback = new URL(input.callbackUrl);
    if (`${callback.origin}${callback.pathname}` !== kept.redirectUri)
      throw refused('This answer belongs to another sign-in. Start again.');
    const vouched = await this.client.end(await this.service.relation(taken.provider), input.callbackUrl, kept).catch(() => null);
    if (vouched === null) throw refused('Your identity provider did not sign you in. Start again.');
    return this.tenancy.asSystem((tx) => this.#letIn(tx, taken.provider, vouched, now));
  }

  /** The nearest provider of the first person who has this address and one. An address may stand in several MSPs. */
  async #providerOf(tx: SystemTx, address: string): Promise<IdentityProvider | null> {
    for (const { mspId, tenantId } of await this.providers.peopleByEmail(tx, address)) {
      const provider = await this.providers.forTenant(tx, mspId, tenantId);
      if (provider !== null) return provider;
    }
    return null;
  }

  async #letIn(tx: SystemTx, before: IdentityProvider, vouched: Vouched, now: Date): Promise<IdentityProviderSignedIn> {
    const unknown = () => refused('Your identity provider signed you in, but nobody here is known by that account. Ask an administrator.');
    // It may have been removed or set anew while the person was there.
    const provider = await this.providers.find(tx, before.mspId, before.id);
    if (provider === null) throw unknown();
    const bound = await this.providers.bound(tx, provider, vouched.subject);
    const byEmail = vouched.email === null ? null : await this.providers.byEmail(tx, provider, vouched.email);
    const who = whoCameBack(vouched, bound, byEmail);
    const technician = who === null ? null : await this.technicians.lock(tx, provider.mspId, who.technicianId);
    if (who === null || technician === null || !technician.active || !technician.joined) throw unknown();
    const { mspId, tenantId, id: technicianId } = technician;
    // A provider vouches for nobody who lives elsewhere or has moved.
    if ((await this.providers.forTenant(tx, mspId, tenantId))?.id !== provider.id) throw unknown();
    const record = { subjectId: technicianId, occurredAt: now, mspId, tenantId, actor: { kind: 'technician', id: technicianId } } as const;
    if (who.bind) {
      if (!(await this.providers.bind(tx, provider, vouched.subject, { tenantId, technicianId }))) throw unknown();
      await audit(tx, { ...record, action: 'identity-provider.linked', details: { issuer: provider.issuer, subject: vouched.subject } });
    }
    // Whoever administers the provider's tenant decides for whom it vouches: alone, it opens nothing outside of that tenant.
    const passkeyToo = provider.passkeyToo || (await this.providers.holdsRoleOutside(tx, provider, technicianId));
    // With a passkey besides, the sign-in is complete, and recorded, with that.
    if (!passkeyToo) await audit(tx, { ...record, action: 'technician.signed-in', details: { issuer: provider.issuer } });
    return { technicianId, mspId, tenantId, passkeyToo, signedInAt: now };
  }
}

function refused(message: string): Problem {
  return new Problem('SignInRefused', message);
}

/** Where the wrapped secrets of a sign-in belong: they open for no other. */
function signInPlace(hash: Buffer): string {
  return `identity-provider-sign-in:${hash.toString('hex')}`;
}
