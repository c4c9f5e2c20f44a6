import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { ed25519PublicKey, id, type Actor } from '@stint/contracts';
import { addSeconds, conflict, isId, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { CLOCK, REVOKE, type Revoke } from '../tokens.ts';
import { rotationSeconds, type Credential } from './credential.domain.ts';
import { CredentialRepository } from './credential.repository.ts';

const rotateInput = z.object({ credentialId: id, publicKey: ed25519PublicKey });

/** A new key beside the old one. */
export interface CredentialRotation {
  credentialId: Id;
  previousEndsAt: Date;
}

@Injectable()
export class CredentialService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly credentials: CredentialRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(REVOKE) private readonly revoke: Revoke,
  ) {}

  /** A credential whose subject is active; null otherwise. Across MSPs, hence as the system: the gateway knows nothing but its id. */
  async find(credentialId: string): Promise<Credential | null> {
    const now = this.clock.now();
    return isId(credentialId) ? this.tenancy.asSystem((tx) => this.credentials.findActive(tx, credentialId, now)) : null;
  }

  /**
   * Registers a new key of the calling device or API client. The old one is good until the new one is used, and for a day
   * at most. The same call again answers the same; another key takes the place of one that was not used.
   */
  async rotate(actor: Actor, raw: unknown): Promise<CredentialRotation> {
    const { credentialId, publicKey } = checkInput(rotateInput, raw);
    const { mspId, tenantId, id: subjectId } = actor;
    const now = this.clock.now();
    return this.tenancy.asSystem(async (tx) => {
      const held = await this.credentials.lockAll(tx, mspId, subjectId);
      const known = held.find((one) => one.id === credentialId);
      if (known !== undefined) {
        if (known.publicKey !== publicKey) throw conflict('This credential id is taken. Make a new one.');
        return { credentialId, previousEndsAt: held.find(({ endsAt }) => endsAt !== null)?.endsAt ?? now };
      }
      const unused = held.filter(({ pending }) => pending);
      await this.credentials.remove(
        tx,
        mspId,
        unused.map((one) => one.id),
      );
      const kind = actor.kind === 'device' ? 'DEVICE' : 'CLIENT';
      const added = await this.credentials.insert(tx, { mspId, tenantId, id: credentialId, kind, subjectId, publicKey, pending: true });
      if (!added) throw conflict('This credential id is taken. Make a new one.');
      const previousEndsAt = addSeconds(now, rotationSeconds);
      await this.credentials.endOthers(tx, mspId, subjectId, credentialId, previousEndsAt);
      await audit(tx, { action: 'credential.rotated', subjectId, details: { credentialId }, occurredAt: now, mspId, tenantId, actor });
      return { credentialId, previousEndsAt };
    });
  }

  /** The new key of a rotation was used, proved: the ones before it end. Again is harmless. */
  async settle(credentialId: string): Promise<void> {
    const now = this.clock.now();
    await this.tenancy.asSystem(async (tx) => {
      const credential = await this.credentials.findActive(tx, credentialId, now);
      if (credential?.pending !== true) return;
      const { mspId, subjectId } = credential;
      const held = await this.credentials.lockAll(tx, mspId, subjectId);
      // Another key may have taken its place a moment ago.
      if (!held.some((one) => one.id === credentialId)) return;
      const old = held.filter((one) => one.id !== credentialId).map((one) => one.id);
      await this.credentials.remove(tx, mspId, old);
      await this.credentials.settle(tx, mspId, subjectId, credentialId);
      // Gateways remember credentials for some seconds.
      for (const one of old) tx.afterCommit(() => this.revoke(one));
    });
  }
}
