import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { displayName } from '@stint/contracts';
import { hashToken } from '@stint/crypto';
import { Problem, type Clock } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import { PasskeyRegistrar, type RegistrationStarted } from '../passkey/passkey-registrar.ts';
import { PasskeyRepository } from '../passkey/passkey.repository.ts';
import { SessionService } from '../session/session.service.ts';
import { TechnicianCopies } from '../technician/technician-copies.ts';
import type { Technician } from '../technician/technician.domain.ts';
import { TechnicianRepository } from '../technician/technician.repository.ts';
import { TenantRepository } from '../tenant/tenant.repository.ts';
import type { Tenant } from '../tenant/tenant.domain.ts';
import { CLOCK, REVOKE, type Revoke } from '../tokens.ts';
import { TotpRepository } from '../totp/totp.repository.ts';
import { decideRecovery, type Recovery } from './recovery.domain.ts';
import { RecoveryRepository } from './recovery.repository.ts';

const redeemInput = z.object({ token: z.string().max(64), registration: z.string(), passkeyLabel: displayName.nullish() });

/** What the recovered technician does: the link of an approved recovery registers one new passkey, and everything from before ends. */
@Injectable()
export class RecoveryRedemptionService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly recoveries: RecoveryRepository,
    private readonly technicians: TechnicianRepository,
    private readonly tenants: TenantRepository,
    private readonly registrar: PasskeyRegistrar,
    private readonly passkeys: PasskeyRepository,
    private readonly totps: TotpRepository,
    private readonly sessions: SessionService,
    private readonly copies: TechnicianCopies,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(REVOKE) private readonly revoke: Revoke,
  ) {}

  /** What the browser needs to make the new passkey; null when this is no link of an approved recovery. The link stays good. */
  async start(tx: SystemTx, tokenHash: Buffer): Promise<(RegistrationStarted & { technician: Technician }) | null> {
    const found = await this.#approved(tx, tokenHash);
    if (found === null) return null;
    const { technician } = found;
    const { id: technicianId, email: name } = technician;
    const made = { purpose: 'RECOVER', boundTo: tokenHash.toString('hex'), exclude: [] } as const;
    return { ...(await this.registrar.start(tx, { ...made, technicianId, name, displayName: technician.displayName })), technician };
  }

  /** Uses the link up: one new passkey; older passkeys, TOTP and all sessions end. All of it or nothing. */
  async redeem(raw: unknown): Promise<{ technician: Technician & { tenant: Tenant | null }; credentialId: string }> {
    const input = checkInput(redeemInput, raw);
    const now = this.clock.now();
    const hash = hashToken(input.token);
    return this.tenancy.asSystem(async (tx) => {
      const found = await this.#approved(tx, hash);
      if (found === null)
        throw new Problem('InvitationInvalid', 'This link was used already or has ended. Ask an administrator for a new recovery.');
      const { recovery, technician } = found;
      const { mspId, tenantId, id: technicianId } = technician;
      const verified = await this.registrar.verify(tx, input.registration, { purpose: 'RECOVER', boundTo: hash.toString('hex') });
      await this.passkeys.remove(tx, mspId, technicianId, 'all');
      await this.totps.remove(tx, mspId, technicianId);
      await this.sessions.endAllOf(tx, mspId, technicianId, null);
      await this.recoveries.save(tx, recovery);
      const passkey = await this.registrar.add(tx, { mspId, tenantId, technicianId }, verified, input.passkeyLabel ?? 'Recovered');
      await this.copies.changed(tx, mspId, technicianId);
      await this.copies.tellKeys(tx, mspId, technicianId);
      tx.afterCommit(() => this.revoke(technicianId));
      await audit(tx, {
        ...{ action: 'recovery.redeemed', subjectId: technicianId, occurredAt: now, mspId, tenantId },
        ...{ actor: { kind: 'technician', id: technicianId }, details: { recoveryId: recovery.id } },
      });
      const [after] = await this.technicians.findMany(tx, mspId, [technicianId]);
      if (after === undefined) throw new Error('A technician vanished while being recovered.');
      return { technician: { ...after, tenant: await this.tenants.find(tx, mspId, tenantId) }, credentialId: passkey.credentialId };
    });
  }

  /** The recovery of this link as it is once redeemed, and its technician, locked. Of many who redeem at once, the others wait here. */
  async #approved(tx: SystemTx, tokenHash: Buffer): Promise<{ recovery: Recovery; technician: Technician } | null> {
    const known = await this.recoveries.findByToken(tx, tokenHash);
    const technician = known === null ? null : await this.technicians.lock(tx, known.mspId, known.technicianId);
    const before = technician === null ? null : await this.recoveries.findByToken(tx, tokenHash);
    if (technician === null || before === null || !technician.active) return null;
    const recovery = decideRecovery(before, { do: 'redeem' }, this.clock.now());
    return 'refused' in recovery ? null : { recovery, technician };
  }
}
