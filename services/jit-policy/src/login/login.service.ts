import { randomInt } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { conflict, invalidInput, isId, notFound, Problem, Refusal, type Clock, type Id } from '@stint/kernel';
import { email as emailRule, type Actor } from '@stint/contracts';
import { hashToken, newToken } from '@stint/crypto';
import { emit } from '@stint/messaging';
import { Tenancy, type SystemTx, type TenantTx, type Tx } from '@stint/tenancy';
import type { RequestTarget } from '../access-request/access-request.domain.ts';
import { AccessRequestEnding } from '../access-request/access-request-ending.ts';
import { auditOf, type WriteTx } from '../audit-trail.ts';
import type { DeviceCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import type { DeviceGrant } from '../grant/grant.domain.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { loginObstacle, offeredKinds } from '../settings/domain-login.domain.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { SettingsService } from '../settings/settings.service.ts';
import { CLOCK, PUBLIC_URL } from '../tokens.ts';
import {
  cancelledAtComputer,
  decideLogin,
  isPending,
  isShownTo,
  mostPending,
  startedLogin,
  type LoginMethod,
  type LoginRequest,
} from './login.domain.ts';
import { LoginRepository } from './login.repository.ts';

/** A login request with the grant that it led to, and the instant at which it was read. */
export interface LoginWithGrant {
  request: LoginRequest;
  grant: DeviceGrant | null;
  at: Date;
}

/** Starting, cancelling and reading login requests. */
@Injectable()
export class LoginService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly settings: SettingsRepository,
    private readonly settingsService: SettingsService,
    private readonly logins: LoginRepository,
    private readonly grants: GrantRepository,
    private readonly accessRequests: AccessRequestEnding,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PUBLIC_URL) private readonly publicUrl: string,
  ) {}

  /** Starts a login at the calling device, beside those that wait there. The QR's content is answered here and never again. */
  async start(actor: Actor, { id, method, email }: StartInput): Promise<{ login: LoginWithGrant; qrPayload: string | null }> {
    if (!isId(id)) throw invalidInput('id', 'id must be a UUIDv7 in its canonical lower-case form.');
    if (method === 'OFFLINE') throw invalidInput('method', 'Without the server a login is not started: report it by reportOfflineLogins.');
    const askedEmail = method === 'PUSH' ? address(email) : null;
    return this.directory.asDevice(actor, async (tx, device) => {
      const now = this.clock.now();
      const known = await this.logins.find(tx, actor.mspId, id);
      if (known !== null) return this.#again(tx, known, device, method);
      const settings = await this.settings.effectiveOf(tx, actor.mspId, device.tenantId);
      if (method === 'TOTP' && !settings.totpLogin.value) throw switchedOff('Logging in with a code', 'totpLogin');
      if (method === 'PUSH' && !settings.pushLogin.value) throw switchedOff('Being asked on the phone', 'pushLogin');
      const kinds = await this.settingsService.accountKinds(tx, device, settings);
      const obstacle = loginObstacle(kinds);
      if (obstacle !== null) throw new Problem('NotAllowedBySettings', obstacle, { setting: 'domainLoginMode' });
      const accountKinds = offeredKinds(kinds);
      const tenant = await this.copies.tenant(tx, actor.mspId, device.tenantId);
      if (tenant === null) throw new Error(`No copy of tenant ${device.tenantId}.`);
      await this.#makeRoom(tx, device, method, now);
      const code = method === 'QR' ? newToken() : null;
      const request = startedLogin(
        {
          mspId: actor.mspId,
          tenantId: device.tenantId,
          id,
          deviceId: device.id,
          method,
          codeHash: code === null ? null : hashToken(code),
          shownNumber: String(randomInt(100)).padStart(2, '0'),
          hostName: device.hostName,
          tenantName: tenant.name,
          sessionSeconds: settings.sessionSeconds.value,
          accountKinds,
          accountKind: accountKinds[0] ?? 'LOCAL',
          domainObstacle: settings.domainLoginMode.value !== 'LOCAL' && !kinds.DOMAIN.possible ? kinds.DOMAIN.why : null,
        },
        now,
      );
      if (!(await this.logins.insert(tx, request, askedEmail))) throw idTaken();
      if (method === 'PUSH') await emit(tx, 'push-login-started', { mspId: request.mspId, tenantId: request.tenantId, loginRequestId: id });
      await auditOf(tx, request, {
        action: 'login.started',
        subjectId: id,
        occurredAt: now,
        details: { method, deviceId: device.id, hostName: device.hostName },
      });
      return { login: { request, grant: null, at: now }, qrPayload: code === null ? null : `${this.publicUrl}/l/${code}` };
    });
  }

  /** The device gives a login up. One that is over stays as it is; one that is approved is a conflict. */
  async cancel(actor: Actor, id: Id): Promise<LoginWithGrant> {
    if (!isId(id)) throw notFound('login request');
    return this.directory.asDevice(actor, async (tx, device) => {
      const now = this.clock.now();
      const request = await this.logins.find(tx, actor.mspId, id);
      if (request === null || request.deviceId !== device.id) throw notFound('login request');
      const cancelled = decideLogin(request, { do: 'cancel' }, now);
      if (cancelled === request) return { request, grant: null, at: now };
      if (request.state === 'PENDING') await this.close(tx, cancelled, now);
      else await this.accessRequests.cancelOnDevice(tx, device, ({ target }) => isOfLogin(target, id), cancelledAtComputer, actor);
      return { request: cancelled, grant: null, at: now };
    });
  }

  /** One login request. Problem `NotFound` when it is out of reach; a device reaches only its own. */
  async read(actor: Actor, id: Id): Promise<LoginWithGrant> {
    return this.#read(actor, (tx) => (isId(id) ? this.logins.find(tx, actor.mspId, id) : Promise.resolve(null)));
  }

  /** The login request whose QR carries `code`, for the technician who scanned it. */
  async readByCode(actor: Actor, code: string): Promise<LoginWithGrant> {
    if (actor.kind !== 'technician') throw new Refusal('FORBIDDEN', 'Only a technician can scan a login.');
    return this.#read(actor, (tx) => this.logins.findByCode(tx, actor.mspId, hashToken(code)));
  }

  /** Gives up what waits at a device that was revoked; `device` is locked. */
  async failPending(tx: SystemTx, device: DeviceCopy, why: string): Promise<void> {
    const now = this.clock.now();
    for (const pending of await this.logins.pendingOf(tx, device.mspId, device.id)) {
      const failed = decideLogin(pending, { do: 'fail', why }, now);
      if (failed !== pending) await this.close(tx, failed, now);
    }
  }

  /** Saves and audits a request that was PENDING and has ended without an approval. */
  async close(tx: WriteTx, request: LoginRequest, now: Date): Promise<void> {
    if (!(await this.logins.leavePending(tx, request, { at: now, by: null, inTimeAt: null }))) return;
    const expired = request.state === 'EXPIRED';
    await auditOf(tx, request, {
      action: expired ? 'login.expired' : 'login.failed',
      subjectId: request.id,
      occurredAt: now,
      details: {
        method: request.method,
        deviceId: request.deviceId,
        hostName: request.hostName,
        ...(!expired && { failure: request.failure }),
      },
    });
  }

  /** The same call again: the same request; but a QR code is shown once only. */
  async #again(
    tx: TenantTx,
    known: LoginRequest,
    device: DeviceCopy,
    method: LoginMethod,
  ): Promise<{ login: LoginWithGrant; qrPayload: null }> {
    if (known.deviceId !== device.id || known.method !== method || method === 'QR') throw idTaken();
    const grant = await this.grants.findByLogin(tx, known.mspId, known.id);
    return { login: { request: known, grant, at: this.clock.now() }, qrPayload: null };
  }

  /**
   * Gives up what must make way: an older PUSH login for a new one (one prompt at a time), and the oldest where too many
   * wait. All others stay: whoever can reach the computer's login could end everybody else's otherwise.
   */
  async #makeRoom(tx: TenantTx, device: DeviceCopy, method: LoginMethod, now: Date): Promise<void> {
    const pending = await this.logins.pendingOf(tx, device.mspId, device.id);
    const waiting = pending.filter((request) => isPending(request, now));
    const surplus = new Set(waiting.slice(0, Math.max(0, waiting.length + 1 - mostPending)));
    for (const request of pending) {
      const command = surplus.has(request) || (method === 'PUSH' && request.method === 'PUSH') ? 'supersede' : 'expire';
      const next = decideLogin(decideLogin(request, { do: 'expire' }, now), { do: command }, now);
      if (next !== request) await this.close(tx, next, now);
    }
  }

  async #read(actor: Actor, find: (tx: Tx) => Promise<LoginRequest | null>): Promise<LoginWithGrant> {
    const login = await this.tenancy.readTenants(actor, async (tx) => {
      const request = await find(tx);
      if (request === null || !isShownTo(request, actor)) return null;
      return { request, grant: await this.grants.findByLogin(tx, request.mspId, request.id), at: this.clock.now() };
    });
    if (login === null) throw notFound('login request');
    return login;
  }
}

/** What `startLogin` gets. */
interface StartInput {
  id: Id;
  method: LoginMethod;
  email?: string | null | undefined;
}

function isOfLogin(target: RequestTarget, loginRequestId: Id): boolean {
  return target.kind === 'LOGIN' && target.loginRequestId === loginRequestId;
}

function address(typed: string | null | undefined): string {
  const parsed = emailRule.safeParse(typed ?? '');
  if (!parsed.success) throw invalidInput('email', 'email must be the address of the technician who is to be asked.');
  return parsed.data;
}

function switchedOff(what: string, setting: string): Problem {
  return new Problem(
    'NotAllowedBySettings',
    `${what} is switched off for this customer. An administrator can allow it by the setting ${setting}.`,
    { setting },
  );
}

function idTaken(): Problem {
  return conflict('A login with this id was started before. Start another one with a fresh id; a QR code is shown only once.');
}
