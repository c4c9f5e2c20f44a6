import { Inject, Injectable } from '@nestjs/common';
import { hpkePublicKey, id, type Actor } from '@stint/contracts';
import { conflict, notFound, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type Tx } from '@stint/tenancy';
import { z } from 'zod';
import type { EntraAccount } from '../account/account.domain.ts';
import { AccountRepository } from '../account/account.repository.ts';
import { StepRepository, type TakenStep } from '../account/step.repository.ts';
import { CLOCK } from '../tokens.ts';
import { endOf, type EntraGrant } from './grant.domain.ts';
import { GrantRepository } from './grant.repository.ts';

const renewInput = z.object({ grantId: id, recipientKey: hpkePublicKey });

/** A grant with what was done for it. */
export interface ShownAccess {
  grant: EntraGrant;
  account: EntraAccount;
  steps: TakenStep[];
}

/** A credential on its way to its reader. */
export interface ShownCredential {
  grant: EntraGrant & { enc: string; ciphertext: string };
  account: EntraAccount & { userPrincipalName: string };
}

/** What people see of access in Entra, and the credential that its technician collects. */
@Injectable()
export class GrantAccessService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly grants: GrantRepository,
    private readonly accounts: AccountRepository,
    private readonly steps: StepRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Whose grant it is, if it is in the actor's reach and one of access in Entra; null otherwise. */
  async technicianOf(actor: Actor, grantId: Id): Promise<Id | null> {
    return this.tenancy.readTenants(actor, async (tx) => (await this.grants.find(tx, actor.mspId, grantId))?.technicianId ?? null);
  }

  async access(actor: Actor, grantId: Id): Promise<ShownAccess | null> {
    return this.tenancy.readTenants(actor, async (tx) => {
      const found = await this.#found(tx, actor.mspId, grantId);
      if (found === null) return null;
      const { grant } = found;
      return { ...found, steps: await this.steps.ofGrant(tx, actor.mspId, grant, grant.endingSince, grant.endedAt) };
    });
  }

  /** The sealed credential of one's own living grant; its first reading is recorded in the same transaction, or there is none. */
  async collect(actor: Actor, grantId: Id): Promise<ShownCredential | null> {
    const tenantId = await this.tenancy.readTenants(
      actor,
      async (tx) => (await this.grants.find(tx, actor.mspId, grantId))?.tenantId ?? null,
    );
    if (tenantId === null) return null;
    return this.tenancy.inTenant(actor, tenantId, async (tx) => {
      const found = await this.#found(tx, actor.mspId, grantId);
      if (found === null) return null;
      const { grant, account } = found;
      const { enc, ciphertext } = grant;
      const { userPrincipalName } = account;
      if (!this.#isLivingOf(actor, grant) || enc === null || ciphertext === null || userPrincipalName === null) return null;
      if (grant.collectedAt === null) {
        const now = this.clock.now();
        await this.grants.save(tx, grant, { collectedAt: now });
        const details = { accountName: userPrincipalName, kind: grant.credentialKind };
        await audit(tx, { action: 'entra-access.credential-collected', subjectId: grant.id, occurredAt: now, details });
      }
      return { grant: { ...grant, enc, ciphertext }, account: { ...account, userPrincipalName } };
    });
  }

  /** Has the credential of one's own living grant made anew. */
  async renew(actor: Actor, raw: unknown): Promise<Id> {
    const { grantId, recipientKey } = checkInput(renewInput, raw);
    return this.tenancy.inTenantOf(
      actor,
      'grant',
      async (tx) => {
        const grant = await this.grants.find(tx, actor.mspId, grantId);
        return grant?.technicianId === actor.id ? grant.tenantId : null;
      },
      async (tx) => {
        const grant = await this.grants.find(tx, actor.mspId, grantId);
        if (grant?.technicianId !== actor.id) throw notFound('grant');
        if (grant.accountKind === 'OWN') throw conflict('This role is on your own account: sign in as you always do.');
        if (!this.#isLivingOf(actor, grant)) throw conflict('Only a session that is active gets another credential. Ask for access again.');
        if (grant.recipientKey === recipientKey) return grantId;
        const none = { enc: null, ciphertext: null, credentialAt: null, credentialEndsAt: null, passId: null, collectedAt: null };
        await this.grants.save(tx, grant, { recipientKey, ...none });
        await this.accounts.due(tx, grant.mspId, grant.accountId, this.clock.now());
        return grantId;
      },
    );
  }

  #isLivingOf(actor: Actor, grant: EntraGrant): boolean {
    const end = endOf(grant);
    const isOwn = actor.kind === 'technician' && actor.id === grant.technicianId;
    return isOwn && grant.phase === 'ACTIVE' && grant.wanted && end !== null && this.clock.now() < end;
  }

  async #found(tx: Tx, mspId: Id, grantId: Id): Promise<{ grant: EntraGrant; account: EntraAccount } | null> {
    const grant = await this.grants.find(tx, mspId, grantId);
    const account = grant === null ? null : await this.accounts.find(tx, mspId, grant.accountId);
    return grant === null || account === null ? null : { grant, account };
  }
}
