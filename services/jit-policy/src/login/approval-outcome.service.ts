import { Injectable } from '@nestjs/common';
import { conflict, type Id } from '@stint/kernel';
import type { AuditEvent } from '@stint/contracts';
import { auditOf, type WriteTx } from '../audit-trail.ts';
import type { DeviceCopy } from '../directory/directory.domain.ts';
import { GrantService, type Approval } from '../grant/grant.service.ts';
import type { LoginRequest } from './login.domain.ts';
import { LoginRepository } from './login.repository.ts';
import type { LoginWithGrant } from './login.service.ts';

/** What becomes of a login when the last approval is there, or when the wait for other people is over. */
@Injectable()
export class ApprovalOutcomeService {
  constructor(
    private readonly logins: LoginRepository,
    private readonly grants: GrantService,
  ) {}

  /** One conditional update: of two approvals, or an approval and an expiry, only one can win. `device` is locked. */
  async approved(
    tx: WriteTx,
    device: DeviceCopy,
    approval: Approval,
    from: 'PENDING' | 'AWAITING_APPROVAL',
    now: Date,
    details: AuditEvent['details'] = {},
  ): Promise<LoginWithGrant> {
    const { request, technician } = approval;
    const decided = { at: now, by: technician.id, inTimeAt: now };
    const won = from === 'PENDING' ? this.logins.leavePending(tx, request, decided) : this.logins.leaveAwaited(tx, request, decided);
    if (!(await won)) throw conflict('This login is no longer pending.');
    const grant = await this.grants.open(tx, device, approval, now);
    await auditOf(tx, request, {
      action: 'login.approved',
      subjectId: request.id,
      occurredAt: now,
      actor: { kind: 'technician', id: technician.id },
      details: {
        method: request.method,
        grantId: grant.id,
        deviceId: device.id,
        hostName: request.hostName,
        accountName: grant.target.accountName,
        sessionSeconds: grant.sessionSeconds,
        reason: grant.reason,
        ticket: grant.ticket,
        rule: approval.rule.name,
        ...details,
      },
    });
    return { request, grant, at: now };
  }

  /** The login of a request that was denied, cancelled or expired; `by` is null for the system. */
  async ended(tx: WriteTx, request: LoginRequest, by: Id | null, now: Date): Promise<void> {
    if (!(await this.logins.leaveAwaited(tx, request, { at: now, by, inTimeAt: null }))) return;
    const action = request.state === 'DENIED' ? 'login.denied' : request.state === 'EXPIRED' ? 'login.expired' : 'login.failed';
    await auditOf(tx, request, {
      action,
      subjectId: request.id,
      occurredAt: now,
      details: {
        method: request.method,
        deviceId: request.deviceId,
        hostName: request.hostName,
        ...(request.failure !== null && { failure: request.failure }),
      },
    });
  }
}
