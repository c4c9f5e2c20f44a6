import { Injectable } from '@nestjs/common';
import { conflict } from '@stint/kernel';
import type { ApprovalContent } from '@stint/contracts';
import type { TenantTx } from '@stint/tenancy';
import { accountOn, AccessService, allowed, entraRole } from '../access/access.service.ts';
import type { DeviceCopy, TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { EntraConnectionRepository } from '../entra/entra-connection.repository.ts';
import { assertUsable, secondContent, signedForEntra } from '../entra/entra-access.domain.ts';
import { EntraGrantService } from '../entra/entra-grant.service.ts';
import { ApprovalOutcomeService } from '../login/approval-outcome.service.ts';
import { approvalContent } from '../login/approval.domain.ts';
import { decideLogin, type LoginRequest } from '../login/login.domain.ts';
import { LoginRepository } from '../login/login.repository.ts';
import type { AccessRequest } from './access-request.domain.ts';
import { AccessRequestRepository } from './access-request.repository.ts';

/** What a request is for, locked. */
export type Subject = { kind: 'LOGIN'; login: LoginRequest; device: DeviceCopy } | { kind: 'ENTRA' };

/** Where requests for a login and for access in Entra differ. */
@Injectable()
export class AccessRequestSubjectService {
  constructor(
    private readonly copies: DirectoryRepository,
    private readonly requests: AccessRequestRepository,
    private readonly logins: LoginRepository,
    private readonly access: AccessService,
    private readonly outcome: ApprovalOutcomeService,
    private readonly connections: EntraConnectionRepository,
    private readonly entraGrants: EntraGrantService,
  ) {}

  /** Locks what decisions on the request wait for, and reads it again: whoever held it before may have decided meanwhile. */
  async lock(tx: TenantTx, { mspId, id, target }: AccessRequest): Promise<{ request: AccessRequest; subject: Subject } | null> {
    if (target.kind === 'ENTRA') {
      const request = await this.requests.lockedForEntra(tx, mspId, id);
      return request === null ? null : { request, subject: { kind: 'ENTRA' } };
    }
    const device = await this.copies.deviceLocked(tx, mspId, target.deviceId);
    const request = await this.requests.find(tx, mspId, id);
    const login = await this.logins.find(tx, mspId, target.loginRequestId);
    return device === null || request === null || login === null ? null : { request, subject: { kind: 'LOGIN', login, device } };
  }

  /** What another person must have signed for `sessionSeconds`. */
  secondApproval(subject: Subject, request: AccessRequest, sessionSeconds: number): ApprovalContent {
    if (subject.kind === 'ENTRA') return secondContent(signedForEntra(request.proof), sessionSeconds);
    return approvalContent('second-approval', subject.login, request.technicianId, { ...request, sessionSeconds });
  }

  /** At the last yes all is looked at again. Problem `AccessDenied` or `Conflict`, or of Entra `EntraNotConnected`. */
  async assertAllowed(tx: TenantTx, subject: Subject, request: AccessRequest, requester: TechnicianCopy, now: Date): Promise<void> {
    if (request.target.kind === 'ENTRA') {
      allowed(await this.access.decide(tx, requester, entraRole(request, request.target.roleName), now));
      return assertUsable(await this.connections.find(tx, request.mspId, request.tenantId));
    }
    if (subject.kind !== 'LOGIN') return;
    if (!subject.device.active) throw conflict('The computer was revoked.');
    allowed(await this.access.decide(tx, requester, accountOn(subject.device, subject.login.accountKind), now));
  }

  /** Makes the grant of a request that is approved, for the shortest time that anybody approved. */
  async grant(tx: TenantTx, subject: Subject, request: AccessRequest, requester: TechnicianCopy, now: Date): Promise<void> {
    const { sessionSeconds, reason, ticket, proof } = request;
    const rule = { id: request.ruleId, name: request.ruleName, maxSeconds: request.maxSeconds };
    const details = { approvers: request.approvals.map(({ approverId }) => approverId).join(', ') };
    if (subject.kind === 'LOGIN') {
      const approved = decideLogin(subject.login, { do: 'approve-awaited', sessionSeconds }, now);
      const approval = { request: approved, technician: requester, sessionSeconds, reason, ticket, proof, rule, approvedByOthers: true };
      await this.outcome.approved(tx, subject.device, approval, 'AWAITING_APPROVAL', now, { accessRequestId: request.id, ...details });
    } else if (request.target.kind === 'ENTRA' && proof !== null) {
      const { mspId, tenantId, id, technicianId, target: access } = request;
      const about = { mspId, tenantId, id, technicianId, access, sessionSeconds, reason, ticket, proof, rule, approvedByOthers: true };
      if ((await this.entraGrants.open(tx, about, now, details)) === null) throw conflict('This id was used for another grant. Ask again.');
    }
  }
}
