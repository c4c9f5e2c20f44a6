import { Inject, Injectable } from '@nestjs/common';
import type { AuditEvent } from '@stint/contracts';
import { emit } from '@stint/messaging';
import type { WriteTx } from '../audit-trail.ts';
import { auditMoved } from '../grant/grant-audit.ts';
import { decideGrant, type EntraGrant, type GrantCommand, type GrantEndReason, type Person } from '../grant/grant.domain.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { NUDGE_TECHNICIAN, type NudgeTechnician } from '../tokens.ts';

/** Changes to a grant of access in Entra, which is locked: each is saved, audited and told to services/entra-connector in one transaction. */
@Injectable()
export class EntraWorkService {
  constructor(
    private readonly grants: GrantRepository,
    private readonly settings: SettingsRepository,
    @Inject(NUDGE_TECHNICIAN) private readonly nudge: NudgeTechnician,
  ) {}

  /** Adds a new grant; false when its id is taken. */
  async add(tx: WriteTx, grant: EntraGrant): Promise<boolean> {
    if (!(await this.grants.insert(tx, grant))) return false;
    await this.#tell(tx, grant);
    return true;
  }

  /** Keeps the account's name as it was seen in Entra. */
  async name(tx: WriteTx, grant: EntraGrant, accountName: string | null): Promise<EntraGrant> {
    if (accountName === null || accountName === grant.target.accountName) return grant;
    const named = { ...grant, target: { ...grant.target, accountName } };
    await this.grants.save(tx, named);
    return named;
  }

  async end(tx: WriteTx, grant: EntraGrant, reason: GrantEndReason, by: Person | null, now: Date): Promise<EntraGrant> {
    return this.change(tx, grant, { do: 'end', reason, revision: nextVersion(grant), by }, now);
  }

  async tick(tx: WriteTx, grant: EntraGrant, now: Date): Promise<EntraGrant> {
    return this.change(tx, grant, { do: 'tick', revision: nextVersion(grant) }, now);
  }

  /** Gives the grant a command; the same grant when it changes nothing. `why`: what the connector said to it. */
  async change(tx: WriteTx, grant: EntraGrant, command: GrantCommand, now: Date, why: string | null = null): Promise<EntraGrant> {
    const decided = decideGrant(grant, command, now);
    if (decided === grant) return grant;
    // An end that was told is told again from time to time; that it was seen, or fails, the connector itself has said.
    const news = grant.state === 'APPROVED' || grant.state === 'ACTIVE' || command.do === 'tick';
    const next = news ? { ...decided, target: { ...decided.target, version: nextVersion(grant) } } : decided;
    await this.grants.save(tx, next);
    if (news) await this.#tell(tx, next);
    if (next.state !== grant.state) {
      await auditMoved(tx, grant, next, now, { ...aboutEntra(grant), ...(why !== null && { why }) });
      tx.afterCommit(() => this.nudge(next.technicianId));
    }
    return next;
  }

  async #tell(tx: WriteTx, grant: EntraGrant): Promise<void> {
    const { mspId, tenantId, technicianId, state, sessionSeconds, reason, ticket, target } = grant;
    const { roleName, scope, accountKind, recipientKey, version } = target;
    const { accountNamePrefix, accountRestDays } = await this.settings.effectiveOf(tx, mspId, tenantId);
    await emit(tx, 'entra-grant-changed', {
      ...{ mspId, tenantId, grantId: grant.id, technicianId, wanted: state === 'APPROVED' || state === 'ACTIVE' },
      ...{ roleName, scope, accountKind, reason, ticket, recipientKey, sessionSeconds, version },
      ...{ accountPrefix: accountNamePrefix.value, accountRestDays: accountRestDays.value },
      activateBy: grant.activateBy.toISOString(),
      expiresAt: grant.expiresAt?.toISOString() ?? null,
    });
  }
}

/** What the log says of access in Entra. */
export function aboutEntra({ target }: Pick<EntraGrant, 'target'>): AuditEvent['details'] {
  return { role: target.roleName, scope: target.scope, accountKind: target.accountKind };
}

/** The version that is told with the grant's next change. */
export function nextVersion(grant: EntraGrant): number {
  return grant.target.version + 1;
}
