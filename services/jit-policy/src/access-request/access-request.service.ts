import { Inject, Injectable } from '@nestjs/common';
import { addSeconds, conflict, invalidInput, isId, newId, notFound, Refusal, type Clock, type Id } from '@stint/kernel';
import { reason as reasonRule, type Actor } from '@stint/contracts';
import { emit } from '@stint/messaging';
import { CopyMissing, Tenancy, type TenantTx } from '@stint/tenancy';
import type { Decision } from '../access/access.domain.ts';
import { AccessService, type DecidingRule } from '../access/access.service.ts';
import type { WriteTx } from '../audit-trail.ts';
import { holds, type DeviceCopy, type TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import type { Approval } from '../grant/grant.service.ts';
import { checkedProof } from '../login/approval-proof.ts';
import { decideLogin, type LoginRequest } from '../login/login.domain.ts';
import { LoginRepository } from '../login/login.repository.ts';
import type { LoginWithGrant } from '../login/login.service.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { CLOCK, PUBLIC_URL } from '../tokens.ts';
import { approvedSeconds, assertCanDecide, decideRequest, hasApproved, takenBack, type AccessRequest } from './access-request.domain.ts';
import { AccessRequestRepository } from './access-request.repository.ts';
import { AccessRequestEnding } from './access-request-ending.ts';
import { AccessRequestSubjectService, type Subject } from './access-request-subject.service.ts';

/** What an approver sends. */
export interface ApproveAccess {
  assertion: string;
  id: Id;
  sessionSeconds?: number | null | undefined;
}

/** Access that waits for other people from now on. */
export type Asked = Pick<
  AccessRequest,
  'mspId' | 'tenantId' | 'id' | 'technicianId' | 'target' | 'reason' | 'ticket' | 'sessionSeconds' | 'proof'
> & { rule: DecidingRule };

/** A request as it was found, with everything that is decided on held or locked. */
interface Found {
  request: AccessRequest;
  subject: Subject;
  /** Who decides. */
  caller: TechnicianCopy;
  /** Who gets access. */
  requester: TechnicianCopy;
}

/** Asking other people for their yes, and their answers. Locks in this order: technicians, rules, device and login request (not for Entra), access request, grants. */
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
    private readonly subjects: AccessRequestSubjectService,
    private readonly ending: AccessRequestEnding,
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
    const { mspId, tenantId } = pending;
    const until = addSeconds(now, await this.#lifeSeconds(tx, mspId, tenantId));
    const login = decideLogin(pending, { do: 'await-approval', sessionSeconds, until }, now);
    if (!(await this.logins.leavePending(tx, login, { at: now, by: technician.id, inTimeAt: now })))
      throw conflict('This login is no longer pending.');
    const target = { kind: 'LOGIN' as const, loginRequestId: login.id, deviceId: device.id };
    const about = { mspId, tenantId, id: newId(), technicianId: technician.id, target, sessionSeconds, reason, ticket, proof, rule };
    await this.ask(tx, about, decision, now);
    return { request: login, grant: null, at: now };
  }

  /** Asks the other people whom the decision demands; null when the id is taken. */
  async ask(tx: WriteTx, { rule, ...about }: Asked, decision: Decision, now: Date): Promise<AccessRequest | null> {
    const request: AccessRequest = {
      ...about,
      state: 'PENDING',
      ruleId: rule.id ?? '',
      ruleName: rule.name ?? '',
      needed: decision.approvals,
      approverGroupId: decision.approverGroupId,
      maxSeconds: rule.maxSeconds,
      requestedAt: now,
      expiresAt: addSeconds(now, await this.#lifeSeconds(tx, about.mspId, about.tenantId)),
      endedAt: null,
      endedBy: null,
      endedWhy: null,
      approvals: [],
    };
    if (!(await this.requests.insert(tx, request))) return null;
    await emit(tx, 'access-requested', { mspId: request.mspId, tenantId: request.tenantId, accessRequestId: request.id });
    const actor = { kind: 'technician' as const, id: request.technicianId };
    await this.ending.audit(tx, 'access.requested', request, now, actor, { needed: request.needed, rule: request.ruleName });
    return request;
  }

  /** Gives the caller's yes. At the last one all is looked at again, and the grant is made for the shortest time that anybody approved. */
  async approve(actor: Actor, input: ApproveAccess): Promise<AccessRequest> {
    return this.#decide(actor, input.id, async (tx, found) => {
      const { request, subject, caller, requester } = found;
      const now = this.clock.now();
      assertCanDecide(request, caller);
      if (hasApproved(request, caller.id)) return request;
      const sessionSeconds = approvedSeconds(request, input.sessionSeconds ?? null);
      const content = this.subjects.secondApproval(subject, request, sessionSeconds);
      const proof = await checkedProof(caller, content, input.assertion, this.publicUrl);
      const next = decideRequest(request, { do: 'approve', by: caller, sessionSeconds, proof }, now);
      if (next.state === 'APPROVED') await this.subjects.assertAllowed(tx, subject, request, requester, now);
      await this.requests.save(tx, next);
      const approval = next.approvals.at(-1);
      if (approval !== undefined) await this.requests.addApproval(tx, newId(), next, approval);
      const have = next.approvals.length;
      await this.ending.audit(tx, 'access.approved', next, now, actor, { sessionSeconds, have, needed: next.needed });
      if (next.state === 'APPROVED') await this.subjects.grant(tx, subject, next, requester, now);
      return next;
    });
  }

  /** Says no for good. Saying it again is harmless. */
  async deny(actor: Actor, id: Id, why: string): Promise<AccessRequest> {
    const reason = reasonRule.safeParse(why);
    if (!reason.success) throw invalidInput('reason', `reason ${reason.error.issues[0]?.message ?? 'is not valid'}.`);
    return this.#decide(actor, id, async (tx, { request, caller }) => {
      const now = this.clock.now();
      const denied = decideRequest(request, { do: 'deny', by: caller, why: reason.data }, now);
      await this.ending.end(tx, request, denied, now, actor);
      return denied;
    });
  }

  /** The caller takes their own request back. One that is over stays as it is. */
  async cancel(actor: Actor, id: Id): Promise<AccessRequest> {
    return this.#decide(actor, id, async (tx, { request }) => {
      if (request.technicianId !== actor.id) throw notFound('access request');
      const now = this.clock.now();
      const cancelled = decideRequest(request, { do: 'cancel', by: actor.id, why: takenBack }, now);
      await this.ending.end(tx, request, cancelled, now, actor);
      return cancelled;
    });
  }

  async #lifeSeconds(tx: WriteTx, mspId: Id, tenantId: Id): Promise<number> {
    const settings = await this.settings.effectiveOf(tx, mspId, tenantId);
    return settings.requestLifeSeconds.value;
  }

  /** Finds the request in the caller's reach, with both technicians and the rules held and the request locked, and lets `work` decide on it. */
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
          const locked = await this.subjects.lock(tx, seen);
          if (requester === null || locked === null) throw notFound('access request');
          return work(tx, { ...locked, caller, requester });
        },
      );
    });
  }
}
