import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { conflict, isId, notFound, Refusal, type Clock, type Id } from '@stint/kernel';
import type { Actor, Payload } from '@stint/contracts';
import { hashToken } from '@stint/crypto';
import { emit } from '@stint/messaging';
import { mayStillArrive, CopyMissing, Tenancy, type SystemTx, type TenantTx } from '@stint/tenancy';
import { sessionSecondsBy, type Decision } from '../access/access.domain.ts';
import { accountOn, AccessService, allowed, ruleOf } from '../access/access.service.ts';
import { AccessRequestService } from '../access-request/access-request.service.ts';
import { auditOf, type WriteTx } from '../audit-trail.ts';
import { holds, type DeviceCopy, type TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import type { Approval } from '../grant/grant.service.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { CLOCK, PUBLIC_URL } from '../tokens.ts';
import { ApprovalOutcomeService } from './approval-outcome.service.ts';
import { checkedProof } from './approval-proof.ts';
import { approvalContent, assertDemandsMet, checkedChoice, numberFits, totpObstacle, withAccountKind } from './approval.domain.ts';
import { decideLogin, isPending, type LoginRequest } from './login.domain.ts';
import { LoginRepository } from './login.repository.ts';
import type { LoginWithGrant } from './login.service.ts';
import { PromptRepository } from './prompt.repository.ts';

/** What a technician sends to approve a login. */
export interface ApproveInput {
  assertion: string;
  id: Id;
  code?: string | null | undefined;
  number?: string | null | undefined;
  sessionSeconds?: number | null | undefined;
  reason?: string | null | undefined;
  ticket?: string | null | undefined;
}

/** Deciding on login requests. Locks in this order: technician, rules, device, login request, access request, grants. */
@Injectable()
export class ApprovalService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly settings: SettingsRepository,
    private readonly logins: LoginRepository,
    private readonly prompts: PromptRepository,
    private readonly access: AccessService,
    private readonly accessRequests: AccessRequestService,
    private readonly outcome: ApprovalOutcomeService,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PUBLIC_URL) private readonly publicUrl: string,
  ) {}

  /** Approves by the technician's proof over exactly what was shown. Everything that follows stands in one transaction. */
  async approve(actor: Actor, input: ApproveInput): Promise<LoginWithGrant> {
    const choice = checkedChoice(input);
    return this.#decide(actor, input, async (tx, { device, technician, request: asked }) => {
      const now = this.clock.now();
      const request = withAccountKind(asked, choice.accountKind);
      if (!device.active) throw conflict('The computer was revoked.');
      if (isPending(asked, now) && !numberFits(asked, input.number)) return this.#wrongNumber(tx, asked, actor, now);
      const decision = await this.access.decide(tx, technician, accountOn(device, request.accountKind), now);
      const sessionSeconds = sessionSecondsBy(decision, choice.sessionSeconds, request.sessionSeconds);
      const approved = decideLogin(request, { do: 'approve', sessionSeconds }, now);
      assertDemandsMet(allowed(decision), choice);
      const content = approvalContent('login', request, technician.id, { ...choice, sessionSeconds });
      const proof = await checkedProof(technician, content, input.assertion, this.publicUrl);
      const approval = {
        request: approved,
        technician,
        sessionSeconds,
        reason: choice.reason,
        ticket: choice.ticket,
        proof,
        rule: ruleOf(decision),
      };
      return this.#settled(tx, device, request, approval, decision, now);
    });
  }

  /** Denies a login; `notMe` says of one that asked the caller that somebody else started it. Doing it again is harmless. */
  async deny(
    actor: Actor,
    input: { id: Id; code?: string | null | undefined; notMe?: boolean | null | undefined },
  ): Promise<LoginWithGrant> {
    return this.#decide(actor, input, async (tx, { request }) => {
      const now = this.clock.now();
      const notMe = input.notMe === true && request.method === 'PUSH';
      const denied = decideLogin(request, { do: notMe ? 'disown' : 'deny' }, now);
      if (denied !== request) await this.#denied(tx, denied, actor, 'login.denied', now);
      if (notMe) await this.#disowned(tx, denied, actor, now);
      return { request: denied, grant: null, at: now };
    });
  }

  /** A guess, or a technician who approves what somebody else started: there is no second try. */
  async #wrongNumber(tx: TenantTx, request: LoginRequest, actor: Actor, now: Date): Promise<LoginWithGrant> {
    const denied = decideLogin(request, { do: 'deny' }, now);
    await this.#denied(tx, denied, actor, 'login.wrong-number', now);
    return { request: denied, grant: null, at: now };
  }

  async #denied(tx: TenantTx, denied: LoginRequest, actor: Actor, action: 'login.denied' | 'login.wrong-number', now: Date): Promise<void> {
    if (!(await this.logins.leavePending(tx, denied, { at: now, by: actor.id, inTimeAt: now })))
      throw conflict('This login is no longer pending.');
    const details = { deviceId: denied.deviceId, hostName: denied.hostName };
    await auditOf(tx, denied, { action, subjectId: denied.id, occurredAt: now, details });
  }

  /** Keeps the "not me", and lets everything else that asks the technician end wherever it is. */
  async #disowned(tx: TenantTx, { mspId, tenantId, id, deviceId, hostName }: LoginRequest, actor: Actor, now: Date): Promise<void> {
    if (!(await this.prompts.disown(tx, mspId, id, now))) return;
    await auditOf(tx, { mspId, tenantId }, { action: 'login.not-me', subjectId: id, occurredAt: now, details: { deviceId, hostName } });
    await emit(tx, 'login-disowned', { mspId, tenantId, loginRequestId: id, technicianId: actor.id });
  }

  /** A right TOTP code was typed at the device: approves its login, or fails it with the reason. Believes only its own rows. */
  async acceptTotp(tx: SystemTx, payload: Payload<'totp-accepted'>): Promise<void> {
    const technician = await this.copies.technicianHeld(tx, payload.mspId, payload.technicianId);
    await this.access.hold(tx, payload.mspId);
    const device = await this.copies.deviceLocked(tx, payload.mspId, payload.deviceId);
    const request = await this.logins.find(tx, payload.mspId, payload.loginRequestId);
    const now = this.clock.now();
    // A login of another device, or one that is over: nothing that this code could decide.
    if (device === null || request === null || request.deviceId !== device.id || !isPending(request, now)) return;
    if (technician === null && mayStillArrive(payload.technicianId, now))
      throw new Error(`Technician ${payload.technicianId} has not arrived yet.`);
    const settings = await this.settings.effectiveOf(tx, request.mspId, request.tenantId);
    const decision = technician === null ? null : await this.access.decide(tx, technician, accountOn(device, request.accountKind), now);
    const obstacle = totpObstacle({ request, deviceActive: device.active, decision, totpLogin: settings.totpLogin.value });
    if (obstacle !== null || technician === null || decision === null) {
      const why = obstacle ?? 'The technician may not log in here.';
      await this.#refused(tx, decideLogin(request, { do: 'fail', why }, now), payload.technicianId, now);
      return;
    }
    const sessionSeconds = sessionSecondsBy(decision, null, request.sessionSeconds);
    const approved = decideLogin(request, { do: 'approve', sessionSeconds }, now);
    const approval = { request: approved, technician, sessionSeconds, reason: null, ticket: null, proof: null, rule: ruleOf(decision) };
    await this.#settled(tx, device, request, approval, decision, now);
  }

  /** The grant, or the wait for the other people whom the rule demands. */
  async #settled(
    tx: WriteTx,
    device: DeviceCopy,
    pending: LoginRequest,
    approval: Approval,
    decision: Decision,
    now: Date,
  ): Promise<LoginWithGrant> {
    if (decision.approvals === 0) return this.outcome.approved(tx, device, approval, 'PENDING', now);
    return this.accessRequests.open(tx, device, pending, approval, decision, now);
  }

  async #refused(tx: SystemTx, request: LoginRequest, technicianId: Id, now: Date): Promise<void> {
    if (!(await this.logins.leavePending(tx, request, { at: now, by: technicianId, inTimeAt: now }))) return;
    await auditOf(tx, request, {
      action: 'login.failed',
      subjectId: request.id,
      occurredAt: now,
      actor: { kind: 'technician', id: technicianId },
      details: { method: request.method, deviceId: request.deviceId, hostName: request.hostName, failure: request.failure },
    });
  }

  /** Finds the request by id and code in the technician's reach, with technician and device held, and lets `work` decide on it. */
  async #decide(
    actor: Actor,
    asked: { id: Id; code?: string | null | undefined },
    work: (tx: TenantTx, found: Found) => Promise<LoginWithGrant>,
  ): Promise<LoginWithGrant> {
    if (actor.kind !== 'technician') throw new Refusal('FORBIDDEN', 'Only a technician can decide on a login.');
    return this.directory.patiently(() => {
      let found: { technician: TechnicianCopy; request: LoginRequest };
      return this.tenancy.inTenantOf(
        actor,
        'login request',
        async (tx) => {
          const technician = await this.copies.technicianHeld(tx, actor.mspId, actor.id);
          if (technician?.active !== true) throw new CopyMissing([actor.id], new Refusal('FORBIDDEN', 'You may not decide on logins.'));
          const request = isId(asked.id) ? await this.logins.find(tx, actor.mspId, asked.id) : null;
          if (request === null || !(asksFor(request, actor) || codeFits(request, asked.code))) return null;
          const tenant = await this.copies.tenant(tx, actor.mspId, request.tenantId);
          if (!holds(technician, 'login.approve', tenant?.path ?? []))
            throw new CopyMissing([actor.id], new Refusal('FORBIDDEN', 'You may not decide on logins here.'));
          found = { technician, request };
          await this.access.hold(tx, actor.mspId);
          return request.tenantId;
        },
        async (tx) => {
          const device = await this.copies.deviceLocked(tx, actor.mspId, found.request.deviceId);
          // Read again: whoever held the device before may have decided meanwhile.
          const request = await this.logins.find(tx, actor.mspId, found.request.id);
          if (device === null || request === null) throw notFound('login request');
          return work(tx, { device, request, technician: found.technician });
        },
      );
    });
  }
}

interface Found {
  device: DeviceCopy;
  technician: TechnicianCopy;
  request: LoginRequest;
}

function asksFor(request: LoginRequest, actor: Actor): boolean {
  return request.method === 'PUSH' && request.askedTechnicianId === actor.id;
}

function codeFits(request: LoginRequest, code: string | null | undefined): boolean {
  return request.codeHash !== null && code != null && timingSafeEqual(request.codeHash, hashToken(code));
}
