import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { accessOf, id, type Access } from '@stint/contracts';
import { hashToken, passkeyRequestOptions, readPasskeyResponse, verifyPasskeyAssertion } from '@stint/crypto';
import { addSeconds, isId, Problem, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import { IdentityProviderRepository } from '../identity-provider/identity-provider.repository.ts';
import { challengeSeconds, userHandle, type Passkey } from '../passkey/passkey.domain.ts';
import { PasskeyRepository } from '../passkey/passkey.repository.ts';
import { RoleRepository } from '../role/role.repository.ts';
import { TechnicianRepository } from '../technician/technician.repository.ts';
import { CLOCK, PUBLIC_URL } from '../tokens.ts';
import { recordedFailures, refusalText, refuseSignIn, type SignInFailure } from './sign-in.domain.ts';

const finishInput = z.object({ response: z.string(), userAgent: z.string().max(2_000).nullish(), vouchedFor: id.nullish() });
const challengeOf = { purpose: 'SIGN_IN', boundTo: '' } as const;

/** A technician who has just signed in. */
export interface SignedIn {
  technicianId: Id;
  mspId: Id;
  tenantId: Id;
  passkeyId: Id;
  signedInAt: Date;
}
/** What came of a try. It is committed with its traces before it becomes an answer. */
type Outcome = { failure: null; signedIn: SignedIn } | { failure: SignInFailure };

/** Signing in with a passkey, for the gateway. Nobody is known before, hence as the system. */
@Injectable()
export class SignInService {
  readonly #site: { origin: string; rpId: string };

  constructor(
    private readonly tenancy: Tenancy,
    private readonly passkeys: PasskeyRepository,
    private readonly technicians: TechnicianRepository,
    private readonly providers: IdentityProviderRepository,
    private readonly roles: RoleRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PUBLIC_URL) publicUrl: string,
  ) {
    const { origin, hostname } = new URL(publicUrl);
    this.#site = { origin, rpId: hostname };
  }

  /** PublicKeyCredentialRequestOptionsJSON for any passkey of this site, with a challenge that counts once. */
  async start(): Promise<{ optionsJson: string }> {
    const timeoutSeconds = challengeSeconds.SIGN_IN;
    const { challenge, optionsJson } = await passkeyRequestOptions({ rpId: this.#site.rpId, timeoutSeconds });
    const expiresAt = addSeconds(this.clock.now(), timeoutSeconds);
    await this.tenancy.asSystem((tx) =>
      this.passkeys.putChallenge(tx, hashToken(challenge), { ...challengeOf, technicianId: null, expiresAt }),
    );
    return { optionsJson };
  }

  /** Who has signed in with this assertion (AuthenticationResponseJSON). Problem `SignInRefused` for anything but a right and first one. */
  async finish(raw: unknown): Promise<SignedIn> {
    const input = checkInput(finishInput, raw);
    const outcome = await this.tenancy.asSystem((tx) => this.#try(tx, input));
    if (outcome.failure !== null) throw new Problem('SignInRefused', refusalText(outcome.failure));
    return outcome.signedIn;
  }

  /** What a technician may do now; null when they may not sign in. */
  async principal(technicianId: string): Promise<{ mspId: Id; tenantId: Id; active: boolean; access: Access[] } | null> {
    if (!isId(technicianId)) return null;
    return this.tenancy.asSystem(async (tx) => {
      const technician = await this.technicians.findById(tx, technicianId);
      if (technician === null || !technician.active || !technician.joined) return null;
      const { mspId, tenantId, active } = technician;
      return { mspId, tenantId, active, access: accessOf(await this.roles.ofTechnicians(tx, mspId, [technicianId])) };
    });
  }

  async #try(tx: SystemTx, input: z.infer<typeof finishInput>): Promise<Outcome> {
    const now = this.clock.now();
    const read = readPasskeyResponse(input.response);
    if (read === null) return { failure: 'malformed' };
    const taken = await this.passkeys.takeChallenge(tx, hashToken(read.challenge), challengeOf, now);
    const passkey = await this.passkeys.lockByCredential(tx, read.passkeyId);
    if (passkey === null) return { failure: 'unknown-passkey' };
    const { mspId, tenantId, technicianId, id: passkeyId, credentialId, publicKey, counter } = passkey;
    if (taken === null) return this.#refused(tx, passkey, 'challenge');
    const verified = await verifyPasskeyAssertion(input.response, {
      ...{ ...this.#site, challenge: read.challenge, passkey: { id: credentialId, publicKey }, counter },
    });
    if (!verified.ok) return this.#refused(tx, passkey, verified.failure);
    const technician = await this.technicians.findById(tx, technicianId);
    const failure = refuseSignIn({
      technicianId,
      maySignIn: technician !== null && technician.active && technician.joined,
      meansOther: read.userHandle !== null && read.userHandle !== userHandle(technicianId).toString('base64url'),
      vouchedFor: input.vouchedFor ?? null,
      required: (await this.providers.forTenant(tx, mspId, tenantId))?.required === true,
    });
    if (failure !== null) return this.#refused(tx, passkey, failure);
    await this.passkeys.used(tx, passkey, verified.counter, verified.backedUp, now);
    await audit(tx, {
      ...{ action: 'technician.signed-in', subjectId: technicianId, occurredAt: now, mspId, tenantId },
      ...{ actor: { kind: 'technician', id: technicianId }, details: { passkeyId, userAgent: printable(input.userAgent) } },
    });
    return { failure: null, signedIn: { technicianId, mspId, tenantId, passkeyId, signedInAt: now } };
  }

  async #refused(tx: SystemTx, passkey: Passkey, failure: SignInFailure): Promise<Outcome> {
    const { mspId, tenantId, technicianId, id: passkeyId } = passkey;
    await this.passkeys.failed(tx, passkey);
    if (passkey.failures < recordedFailures) {
      await audit(tx, {
        ...{ action: 'technician.sign-in-refused', subjectId: technicianId, occurredAt: this.clock.now(), mspId, tenantId },
        ...{ actor: null, details: { passkeyId, reason: failure } },
      });
    }
    return { failure };
  }
}

/** A header that anybody may send: kept short and printable. */
function printable(userAgent: string | null | undefined): string {
  return (userAgent ?? '').replaceAll(/[^\x20-\x7e]/g, '').slice(0, 200);
}
