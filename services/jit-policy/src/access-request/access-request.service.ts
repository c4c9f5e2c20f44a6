import { Inject, Injectable } from '@nestjs/common';
import { addSeconds, conflict, invalidInput, isId, newId, notFound, Refusal, type Clock, type Id } from '@stint/kernel';
import { reason as reasonRule, type Actor } from '@stint/contracts';
import { emit } from '@stint/messaging';
import { CopyMissing, Tenancy, type TenantTx } from '@stint/tenancy';
import type { Decision } from '../access/access.domain.ts';
import { accountOn, AccessService, allowed } from '../access/access.service.ts';
import type { WriteTx } from '../audit-trail.ts';
import { holds, type DeviceCopy, type TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import type { Approval } from '../grant/grant.service.ts';
import { ApprovalOutcomeService } from '../login/approval-outcome.service.ts';
import { checkedProof } from '../login/approval-proof.ts';
import { approvalContent } from '../login/approval.domain.ts';
import { decideLogin, type LoginRequest } from '../login/login.domain.ts';
import { LoginRepository } from '../login/login.repository.ts';
import type { LoginWithGrant } from '../login/login.service.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { CLOCK, PUBLIC_URL } from '../tokens.ts';
import { approvedSeconds, assertCanDecide, decideRequest, hasApproved, takenBack, type AccessRequest } from './access-request.domain.ts';
import { AccessRequestRepository } from './access-request.repository.ts';
import { AccessRequestEnding } from './access-request-ending.ts';

/** What an approver sends. */
export interface ApproveAccess {
  assertion: string;
  id: Id;
  sessionSeconds?: number | null | undefined;
}

/** A request as it was found, with everything that is decided on held or locked. */
interface Found {
  request: AccessRequest;
  login: LoginRequest;
  device: DeviceCopy;
  /** Who decides. */
  caller: TechnicianCopy;
  /** Who gets access. */
  requester: TechnicianCopy;
}

/** Asking other people for their yes, and their answers. Locks in this order: technicians, rules, device, login request, access request, grants. */
@Injectable()
export class AccessRequestService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly settings: SettingsRepository,
    private readonly access: AccessService,
    private readonly logins: LoginRepository,
    private readonly requests: AccessRequestRepository,
    private readonly ending: AccessRequestEnding,
    private readonly outcome: ApprovalOutcomeService,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PUBLIC_URL) private readonly publicUrl: string,
  ) {}

  /** The technician's own approval of `pending` is there, and the rule demands others: the login waits, and the rule's thresholds are copied. */
  async open(
    tx: WriteTx,
    device: DeviceCopy,
    pending: LoginRequest,
    approval: Approval,
    decision: Decision,
    now: Date,
  ): Promise<LoginWithGrant> {
    const { technician, sessionSeconds, reason, ticket, proof, rule } = approval;
    const until = addSeconds(now, await this.#lifeSeconds(tx, device));
    const login = decideLogin(pending, { do: 'await-approval', sessionSeconds, until }, now);
    if (!(await this.logins.leavePending(tx, login, { at: now, by: technician.id, inTimeAt: now })))
      throw conflict('This login is no longer pending.');
    const request: AccessRequest = {
      mspId: login.mspId,
      tenantId: login.tenantId,
      id: newId(),
      loginRequestId: login.id,
      technicianId: technician.id,
      deviceId: device.id,
      state: 'PENDING',
      reason,
      ticket,
      sessionSeconds,
      ruleId: rule.id ?? '',
      ruleName: rule.name ?? '',
      needed: decision.approvals,
      approverGroupId: decision.approverGroupId,
      maxSeconds: rule.maxSeconds,
      proof,
      requestedAt: now,
      expiresAt: until,
      endedAt: null,
      endedBy: null,
      endedWhy: null,
      approvals: [],
    };
    await this.requests.insert(tx, request);
    await emit(tx, 'access-requested', { mspId: request.mspId, tenantId: request.tenantId, accessRequestId: request.id });
    const actor = { kind: 'technician' as const, id: technician.id };
    await this.ending.audit(tx, 'access.requested', request, login, now, actor, { needed: request.needed, rule: request.ruleName });
    return { request: login, grant: null, at: now };
  }

  /** Gives the caller's yes. At the last one all is looked at again, and the grant is made for the shortest time that anybody approved. */
  async approve(actor: Actor, input: ApproveAccess): Promise<AccessRequest> {
    return this.#decide(actor, input.id, async (tx, found) => {
      const { request, login, device, caller, requester } = found;
      const now = this.clock.now();
      assertCanDecide(request, caller);
      if (hasApproved(request, caller.id)) return request;
      const sessionSeconds = approvedSeconds(request, input.sessionSeconds ?? null);
      const content = approvalContent('second-approval', login, requester.id, { ...request, sessionSeconds });
      const proof = await checkedProof(caller, content, input.assertion, this.publicUrl);
      const next = decideRequest(request, { do: 'approve', by: caller, sessionSeconds, proof }, now);
      if (next.state === 'APPROVED') {
        if (!device.active) throw conflict('The computer was revoked.');
        allowed(await this.access.decide(tx, requester, accountOn(device, login.accountKind), now));
      }
      await this.requests.save(tx, next);
      const approval = next.approvals.at(-1);
      if (approval !== undefined) await this.requests.addApproval(tx, newId(), next, approval);
      const have = next.approvals.length;
      await this.ending.audit(tx, 'access.approved', next, login, now, actor, { sessionSeconds, have, needed: next.needed });
      if (next.state === 'APPROVED') await this.#granted(tx, found, next, now);
      return next;
    });
  }

  /** Says no for good. Saying it again is harmless. */
  async deny(actor: Actor, id: Id, why: string): Promise<AccessRequest> {
    const reason = reasonRule.safeParse(why);
    if (!reason.success) throw invalidInput('reason', `reason ${reason.error.issues[0]?.message ?? 'is not valid'}.`);
    return this.#decide(actor, id, async (tx, { request, login, caller }) => {
      const now = this.clock.now();
      const denied = decideRequest(request, { do: 'deny', by: caller, why: reason.data }, now);
      await this.ending.end(tx, request, denied, login, now, actor);
      return denied;
    });
  }

  /** The caller takes their own request back. One that is over stays as it is. */
  async cancel(actor: Actor, id: Id): Promise<AccessRequest> {
    return this.#decide(actor, id, async (tx, { request, login }) => {
      if (request.technicianId !== actor.id) throw notFound('access request');
      const now = this.clock.now();
      const cancelled = decideRequest(request, { do: 'cancel', by: actor.id, why: takenBack }, now);
      await this.ending.end(tx, request, cancelled, login, now, actor);
      return cancelled;
    });
  }

  async #granted(tx: TenantTx, { login, device, requester }: Found, request: AccessRequest, now: Date): Promise<void> {
    const { sessionSeconds, reason, ticket, proof } = request;
    const approved = decideLogin(login, { do: 'approve-awaited', sessionSeconds }, now);
    const rule = { id: request.ruleId, name: request.ruleName, maxSeconds: request.maxSeconds };
    const approval = { request: approved, technician: requester, sessionSeconds, reason, ticket, proof, rule, approvedByOthers: true };
    const approvers = request.approvals.map(({ approverId }) => approverId).join(', ');
    await this.outcome.approved(tx, device, approval, 'AWAITING_APPROVAL', now, { accessRequestId: request.id, approvers });
  }

  async #lifeSeconds(tx: WriteTx, device: DeviceCopy): Promise<number> {
    const settings = await this.settings.effectiveOf(tx, device.mspId, device.tenantId);
    return settings.requestLifeSeconds.value;
  }

  /** Finds the request in the caller's reach, with both technicians and the rules held and the device locked, and lets `work` decide on it. */
  async #decide(actor: Actor, id: Id, work: (tx: TenantTx, found: Found) => Promise<AccessRequest>): Promise<AccessRequest> {
    if (actor.kind !== 'technician') throw new Refusal('FORBIDDEN', 'Only a technician can decide on access.');
    return this.directory.patiently(() => {
      let caller: TechnicianCopy;
      let seen: AccessRequest;
      return this.tenancy.inTenantOf(
        actor,
        'access request',
        async (tx) => {
          const technician = await this.copies.technicianHeld(tx, actor.mspId, actor.id);
          if (technician?.active !== true) throw new CopyMissing([actor.id], new Refusal('FORBIDDEN', 'You may not decide on access.'));
          const request = isId(id) ? await this.requests.find(tx, actor.mspId, id) : null;
          const tenant = request === null ? null : await this.copies.tenant(tx, actor.mspId, request.tenantId);
          if (request === null || tenant === null) return null;
          const may = request.technicianId === actor.id || holds(technician, 'access.approve', tenant.path);
          if (!may) throw new CopyMissing([actor.id], new Refusal('FORBIDDEN', 'You may not decide on access here.'));
          [caller, seen] = [technician, request];
          return request.tenantId;
        },
        async (tx) => {
          const requester = await this.copies.technicianHeld(tx, actor.mspId, seen.technicianId);
          await this.access.hold(tx, actor.mspId);
          const device = await this.copies.deviceLocked(tx, actor.mspId, seen.deviceId);
          // Read again: whoever held the device before may have decided meanwhile.
          const request = await this.requests.find(tx, actor.mspId, seen.id);
          const login = await this.logins.find(tx, actor.mspId, seen.loginRequestId);
          if (requester === null || device === null || request === null || login === null) throw notFound('access request');
          return work(tx, { request, login, device, caller, requester });
        },
      );
    });
  }
}
