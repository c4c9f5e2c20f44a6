import { Inject, Injectable } from '@nestjs/common';
import { hashToken, passkeyRegistrationOptions, readPasskeyResponse, verifyPasskeyRegistration, type PasskeyFailure } from '@stint/crypto';
import { addSeconds, conflict, newId, Problem, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { CLOCK, PUBLIC_URL } from '../tokens.ts';
import { challengeSeconds, refuseAnother, refuseSize, userHandle, type Passkey } from './passkey.domain.ts';
import { PasskeyRepository, type Challenge } from './passkey.repository.ts';

/** What a browser needs to make a passkey. */
export interface RegistrationStarted {
  /** PublicKeyCredentialCreationOptionsJSON. */
  optionsJson: string;
  expiresAt: Date;
}

/** A registration that was verified and whose challenge is used up. */
export interface VerifiedRegistration {
  technicianId: Id;
  credentialId: string;
  publicKey: string;
  algorithm: number;
  counter: number;
  backedUp: boolean;
}

/** Registers passkeys, for whoever has found out whose they are: a technician who is signed in, or who holds a one-time link. */
@Injectable()
export class PasskeyRegistrar {
  readonly #site: { origin: string; rpId: string };

  constructor(
    private readonly passkeys: PasskeyRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PUBLIC_URL) publicUrl: string,
  ) {
    const { origin, hostname } = new URL(publicUrl);
    this.#site = { origin, rpId: hostname };
  }

  async start(
    tx: SystemTx,
    what: Challenge & { technicianId: Id; name: string; displayName: string; exclude: readonly Passkey[] },
  ): Promise<RegistrationStarted> {
    const seconds = challengeSeconds[what.purpose];
    const { challenge, optionsJson } = await passkeyRegistrationOptions({
      rpId: this.#site.rpId,
      user: { id: userHandle(what.technicianId), name: what.name, displayName: what.displayName },
      exclude: what.exclude.map(({ credentialId }) => credentialId),
      timeoutSeconds: seconds,
    });
    const expiresAt = addSeconds(this.clock.now(), seconds);
    await this.passkeys.putChallenge(tx, hashToken(challenge), { ...what, expiresAt });
    return { optionsJson, expiresAt };
  }

  /** Verifies a registration (RegistrationResponseJSON) and uses its challenge up. Problem `PasskeyRefused` with the reason. */
  async verify(tx: SystemTx, responseJson: string, made: Challenge): Promise<VerifiedRegistration> {
    const read = readPasskeyResponse(responseJson);
    if (read === null) throw this.#refused('malformed');
    const taken = await this.passkeys.takeChallenge(tx, hashToken(read.challenge), made, this.clock.now());
    if (taken?.technicianId == null) throw this.#refused('challenge');
    const verified = await verifyPasskeyRegistration(responseJson, { ...this.#site, challenge: read.challenge });
    if (!verified.ok) throw this.#refused(verified.failure);
    const tooLong = refuseSize(verified.passkey);
    if (tooLong !== null) throw new Problem('PasskeyRefused', tooLong);
    const { passkey, counter, backedUp } = verified;
    const { id: credentialId, publicKey, algorithm } = passkey;
    return { technicianId: taken.technicianId, credentialId, publicKey, algorithm, counter, backedUp };
  }

  /** Keeps a verified passkey; the technician's row is locked. */
  async add(
    tx: SystemTx,
    owner: { mspId: Id; tenantId: Id; technicianId: Id },
    verified: VerifiedRegistration,
    label: string,
  ): Promise<Passkey> {
    const now = this.clock.now();
    const { mspId, tenantId, technicianId } = owner;
    const known = await this.passkeys.ofTechnicians(tx, mspId, [technicianId]);
    const refused = refuseAnother(known.length);
    if (refused !== null) throw conflict(refused);
    const passkey: Passkey = {
      ...verified,
      ...{ mspId, tenantId, technicianId, id: newId(), label, createdAt: now, lastUsedAt: null, failures: 0 },
    };
    if (!(await this.passkeys.insert(tx, passkey))) throw conflict('This passkey is registered already. Make a new one.');
    await audit(tx, {
      ...{ action: 'passkey.registered', subjectId: technicianId, occurredAt: now, mspId, tenantId },
      ...{ actor: { kind: 'technician', id: technicianId }, details: { passkeyId: passkey.id, label, backedUp: passkey.backedUp } },
    });
    return passkey;
  }

  #refused(failure: PasskeyFailure): Problem {
    switch (failure) {
      case 'challenge':
        return new Problem('PasskeyRefused', 'This took too long or was used already. Start again.');
      case 'user-verification':
        return new Problem('PasskeyRefused', 'The authenticator did not verify you (PIN, fingerprint or face). Use one that does.');
      case 'origin':
      case 'rp-id':
        return new Problem('PasskeyRefused', `The passkey was made for another site. Open ${this.#site.origin} and try again there.`);
      case 'algorithm':
      case 'attestation':
      case 'counter':
      case 'malformed':
      case 'other-passkey':
      case 'signature':
      case 'type':
        return new Problem('PasskeyRefused', 'The passkey could not be verified. Start again, or use another authenticator.');
    }
  }
}
