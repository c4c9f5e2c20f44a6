import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { conflict, isId, notFound, Problem, Refusal, type Clock, type Id } from '@stint/kernel';
import { approvalChallenge, type Actor, type Payload } from '@stint/contracts';
import { hashToken, publicKeyFromX, verifyDetached } from '@stint/crypto';
import { Tenancy, type SystemTx, type TenantTx } from '@stint/tenancy';
import { auditOf, type WriteTx } from '../audit-trail.ts';
import { mayStillArrive, holds, type DeviceCopy, type TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { CopyMissing, DirectoryService } from '../directory/directory.service.ts';
import { GrantService, type Approval } from '../grant/grant.service.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { CLOCK } from '../tokens.ts';
import { approvalContent, checkedChoice, totpObstacle } from './approval.domain.ts';
import { decideLogin, isPending, longestSessionSeconds, type LoginRequest } from './login.domain.ts';
import { LoginRepository } from './login.repository.ts';
import type { LoginWithGrant } from './login.service.ts';

/** What a technician sends to approve a login. */
export interface ApproveInput {
  id: Id;
  code: string;
  sessionSeconds?: number | null | undefined;
  reason?: string | null | undefined;
  ticket?: string | null | undefined;
  keyId: Id;
  signature: string;
}

/** Deciding on login requests. Locks in this order: technician, device, login request, grants. */
@Injectable()
export class ApprovalService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly settings: SettingsRepository,
    private readonly logins: LoginRepository,
    private readonly grants: GrantService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Approves by the technician's signature over exactly what was shown. Everything that follows stands in one transaction. */
  async approve(actor: Actor, input: ApproveInput): Promise<LoginWithGrant> {
    const choice = checkedChoice(input);
    return this.#decide(actor, input, async (tx, found) => {
      const now = this.clock.now();
      if (!found.device.active) throw conflict('The computer was revoked.');
      const content = approvalContent(found.request, choice);
      const approved = decideLogin(found.request, { do: 'approve', sessionSeconds: content.durationSeconds }, now);
      const key = isId(input.keyId) ? found.technician.keys.find(({ id }) => id === input.keyId) : undefined;
      // A key that was registered a moment ago may not have arrived here yet.
      if (key === undefined) throw new CopyMissing(isId(input.keyId) ? [input.keyId] : [], approvalInvalid());
      if (!verifyDetached(publicKeyFromX(key.publicKey), approvalChallenge(content), input.signature)) throw approvalInvalid();
      const proof = { keyId: key.id, keyX: key.publicKey, signature: input.signature };
      return this.#approved(
        tx,
        found,
        {
          request: approved,
          technician: found.technician,
          sessionSeconds: content.durationSeconds,
          maxSeconds: longestSessionSeconds,
          reason: choice.reason,
          ticket: choice.ticket,
          proof,
        },
        now,
      );
    });
  }

  /** Denies a login. Denying it again is harmless. */
  async deny(actor: Actor, input: { id: Id; code: string }): Promise<LoginWithGrant> {
    return this.#decide(actor, input, async (tx, { request }) => {
      const now = this.clock.now();
      const denied = decideLogin(request, { do: 'deny' }, now);
      if (denied === request) return { request, grant: null, at: now };
      if (!(await this.logins.leavePending(tx, denied, { at: now, by: actor.id, inTimeAt: now })))
        throw conflict('This login is no longer pending.');
      await auditOf(tx, denied, {
        action: 'login.denied',
        subjectId: denied.id,
        occurredAt: now,
        details: { deviceId: denied.deviceId, hostName: denied.hostName },
      });
      return { request: denied, grant: null, at: now };
    });
  }

  /** A right TOTP code was typed at the device: approves its login, or fails it with the reason. Believes only its own rows. */
  async acceptTotp(tx: SystemTx, payload: Payload<'totp-accepted'>): Promise<void> {
    const technician = await this.copies.technicianHeld(tx, payload.mspId, payload.technicianId);
    const device = await this.copies.deviceLocked(tx, payload.mspId, payload.deviceId);
    const request = await this.logins.find(tx, payload.mspId, payload.loginRequestId);
    const now = this.clock.now();
    // A login of another device, or one that is over: nothing that this code could decide.
    if (device === null || request === null || request.deviceId !== device.id || !isPending(request, now)) return;
    if (technician === null && mayStillArrive(payload.technicianId, now))
      throw new Error(`Technician ${payload.technicianId} has not arrived yet.`);
    const tenant = await this.copies.tenant(tx, request.mspId, request.tenantId);
    const settings = await this.settings.effectiveOf(tx, request.mspId, request.tenantId);
    const obstacle = totpObstacle({
      request,
      deviceActive: device.active,
      technicianMay: technician !== null && tenant !== null && holds(technician, 'login.approve', tenant.path),
      totpLogin: settings.totpLogin.value,
    });
    if (obstacle !== null || technician === null) {
      await this.#refused(
        tx,
        decideLogin(request, { do: 'fail', why: obstacle ?? 'The technician may not log in here.' }, now),
        payload.technicianId,
        now,
      );
      return;
    }
    const approved = decideLogin(request, { do: 'approve', sessionSeconds: request.sessionSeconds }, now);
    await this.#approved(
      tx,
      { device, technician, request },
      {
        request: approved,
        technician,
        sessionSeconds: approved.sessionSeconds,
        maxSeconds: longestSessionSeconds,
        reason: null,
        ticket: null,
        proof: null,
      },
      now,
    );
  }

  /** One conditional update: of two approvals, or an approval and an expiry, only one can win. */
  async #approved(tx: WriteTx, { device }: Found, approval: Approval, now: Date): Promise<LoginWithGrant> {
    const { request, technician } = approval;
    if (!(await this.logins.leavePending(tx, request, { at: now, by: technician.id, inTimeAt: now })))
      throw conflict('This login is no longer pending.');
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
        accountName: grant.accountName,
        sessionSeconds: grant.sessionSeconds,
        reason: grant.reason,
        ticket: grant.ticket,
      },
    });
    return { request, grant, at: now };
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
    asked: { id: Id; code: string },
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
          if (request === null || !codeFits(request, asked.code)) return null;
          const tenant = await this.copies.tenant(tx, actor.mspId, request.tenantId);
          if (!holds(technician, 'login.approve', tenant?.path ?? []))
            throw new CopyMissing([actor.id], new Refusal('FORBIDDEN', 'You may not decide on logins here.'));
          found = { technician, request };
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

function codeFits(request: LoginRequest, code: string): boolean {
  return request.codeHash !== null && timingSafeEqual(request.codeHash, hashToken(code));
}

function approvalInvalid(): Problem {
  return new Problem(
    'ApprovalInvalid',
    'The signature does not fit what would be approved. Read the login request again and sign what it shows now.',
  );
}
