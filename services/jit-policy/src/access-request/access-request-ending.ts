import { Inject, Injectable } from '@nestjs/common';
import type { Clock, Id } from '@stint/kernel';
import type { Actor, AuditAction, AuditEvent } from '@stint/contracts';
import { auditOf, type WriteTx } from '../audit-trail.ts';
import type { DeviceCopy } from '../directory/directory.domain.ts';
import { ApprovalOutcomeService } from '../login/approval-outcome.service.ts';
import { decideLogin, type LoginCommand } from '../login/login.domain.ts';
import { LoginRepository } from '../login/login.repository.ts';
import { CLOCK } from '../tokens.ts';
import { decideRequest, type AccessRequest, type RequestTarget } from './access-request.domain.ts';
import { AccessRequestRepository } from './access-request.repository.ts';

type By = Pick<Actor, 'kind' | 'id'> | null;

/** Ends access requests without a grant, each with its login if it is one. Whoever calls has locked the device, or for Entra the request. */
@Injectable()
export class AccessRequestEnding {
  constructor(
    private readonly requests: AccessRequestRepository,
    private readonly logins: LoginRepository,
    private readonly outcome: ApprovalOutcomeService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Cancels what waits on the device and is meant by `which`; `by` is null for the system. Answers how many it was. */
  async cancelOnDevice(tx: WriteTx, device: DeviceCopy, which: (request: AccessRequest) => boolean, why: string, by: By): Promise<number> {
    return this.cancel(tx, (await this.requests.pendingOfDevice(tx, device.mspId, device.id)).filter(which), why, by);
  }

  /** Cancels `requests`; `by` is null for the system. Answers how many it was. */
  async cancel(tx: WriteTx, requests: readonly AccessRequest[], why: string, by: By): Promise<number> {
    const now = this.clock.now();
    for (const request of requests)
      await this.end(tx, request, decideRequest(request, { do: 'cancel', by: technician(by), why }, now), now, by);
    return requests.length;
  }

  /** Devices on which a request of the technician waits, in the order in which they are to be locked for `cancelOnDevice`. */
  async devicesOf(tx: WriteTx, mspId: Id, technicianId: Id): Promise<Id[]> {
    return this.requests.devicesOfPending(tx, mspId, technicianId);
  }

  /** Ends what has expired on the device. Answers how many it was. */
  async expireOnDevice(tx: WriteTx, device: DeviceCopy, now: Date): Promise<number> {
    const overdue = (await this.requests.pendingOfDevice(tx, device.mspId, device.id)).filter(({ expiresAt }) => expiresAt <= now);
    return this.expire(tx, overdue, now);
  }

  /** Ends those of `requests` whose time is over. Answers how many were given. */
  async expire(tx: WriteTx, requests: readonly AccessRequest[], now: Date): Promise<number> {
    for (const request of requests) await this.end(tx, request, decideRequest(request, { do: 'expire' }, now), now, null);
    return requests.length;
  }

  /** Saves and audits `after`, which has ended without a grant, and ends its login; nothing when it is `before` itself. */
  async end(tx: WriteTx, before: AccessRequest, after: AccessRequest, now: Date, by: By): Promise<void> {
    if (after === before) return;
    await this.requests.save(tx, after);
    const why = after.endedWhy === null ? {} : { why: after.endedWhy };
    await this.audit(tx, actionOf(after), after, now, by, { ...why, technicianId: after.technicianId });
    const login = after.target.kind === 'LOGIN' ? await this.logins.find(tx, after.mspId, after.target.loginRequestId) : null;
    if (login !== null) await this.outcome.ended(tx, decideLogin(login, commandOf(after), now), technician(by), now);
  }

  async audit(
    tx: WriteTx,
    action: AuditAction,
    request: AccessRequest,
    now: Date,
    actor: By,
    details: AuditEvent['details'],
  ): Promise<void> {
    const { reason, ticket } = request;
    const about = { ...(await this.#about(tx, request.mspId, request.target)), reason, ticket };
    await auditOf(tx, request, { action, subjectId: request.id, occurredAt: now, actor, details: { ...about, ...details } });
  }

  async #about(tx: WriteTx, mspId: Id, target: RequestTarget): Promise<AuditEvent['details']> {
    if (target.kind === 'ENTRA') return { role: target.roleName, scope: target.scope, accountKind: target.accountKind };
    const { loginRequestId, deviceId } = target;
    const login = await this.logins.find(tx, mspId, loginRequestId);
    return { loginRequestId, deviceId, hostName: login?.hostName ?? null };
  }
}

function actionOf({ state }: AccessRequest): AuditAction {
  return state === 'DENIED' ? 'access.denied' : state === 'EXPIRED' ? 'access.expired' : 'access.cancelled';
}

function commandOf({ state, endedWhy }: AccessRequest): LoginCommand {
  if (state === 'DENIED') return { do: 'deny-awaited' };
  return state === 'EXPIRED' ? { do: 'expire' } : { do: 'fail', why: endedWhy ?? '' };
}

function technician(by: By): Id | null {
  return by?.kind === 'technician' ? by.id : null;
}
