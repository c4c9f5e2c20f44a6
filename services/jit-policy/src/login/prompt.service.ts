import { Inject, Injectable } from '@nestjs/common';
import type { Clock, Id } from '@stint/kernel';
import type { Actor, Payload } from '@stint/contracts';
import { emit } from '@stint/messaging';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import { AccessRequestRepository } from '../access-request/access-request.repository.ts';
import { auditOf } from '../audit-trail.ts';
import { holds } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { CLOCK, NUDGE_TECHNICIAN, type NudgeTechnician } from '../tokens.ts';
import { decideLogin, isPending, type LoginRequest } from './login.domain.ts';
import { LoginRepository } from './login.repository.ts';
import type { LoginWithGrant } from './login.service.ts';
import { whyNoPrompt } from './prompt.domain.ts';
import { PromptRepository } from './prompt.repository.ts';

type By = Pick<Actor, 'kind' | 'id'>;
const mostApproversNudged = 50;

/**
 * Asking technicians on their phones. Whom a PUSH login asks is decided after its device was answered, in a transaction
 * of its own: known, limited and unknown addresses differ in nothing that the device could see or time.
 */
@Injectable()
export class PromptService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly copies: DirectoryRepository,
    private readonly logins: LoginRepository,
    private readonly accessRequests: AccessRequestRepository,
    private readonly prompts: PromptRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(NUDGE_TECHNICIAN) private readonly nudge: NudgeTechnician,
  ) {}

  /** A PUSH login was started: asks the technician whose address was typed, if there is one who may be asked now. */
  async decideWhomToAsk(tx: SystemTx, { mspId, loginRequestId }: Payload<'push-login-started'>): Promise<void> {
    const now = this.clock.now();
    const email = await this.prompts.takeEmail(tx, mspId, loginRequestId);
    const request = await this.logins.find(tx, mspId, loginRequestId);
    if (email === null || request === null || !isPending(request, now)) return;
    const technicianId = await this.#askable(tx, request, email);
    if (technicianId === null) return;
    const why = whyNoPrompt(await this.prompts.past(tx, mspId, technicianId, now), now);
    const about = { technicianId, deviceId: request.deviceId, hostName: request.hostName };
    const event = { subjectId: request.id, occurredAt: now, actor: { kind: 'device' as const, id: request.deviceId } };
    if (why !== null) return auditOf(tx, request, { action: 'login.prompt-withheld', ...event, details: { ...about, why } });
    await this.prompts.ask(tx, mspId, request.id, technicianId, now);
    await auditOf(tx, request, { action: 'login.prompted', ...event, details: about });
    await emit(tx, 'login-prompted', {
      ...{ mspId, tenantId: request.tenantId, technicianId, loginRequestId: request.id, expiresAt: request.expiresAt.toISOString() },
    });
    tx.afterCommit(() => this.nudge(technicianId));
  }

  /** The technician said "not me" to a login: whatever else asks them is denied too. */
  async endOthers(tx: SystemTx, { mspId, technicianId }: Payload<'login-disowned'>): Promise<void> {
    await this.denyAll(tx, await this.openOf(tx, mspId, technicianId), { kind: 'technician', id: technicianId }, 'not me');
    tx.afterCommit(() => this.nudge(technicianId));
  }

  /** The logins that ask the technician now. */
  async openOf(tx: SystemTx, mspId: Id, technicianId: Id): Promise<LoginRequest[]> {
    const now = this.clock.now();
    const found: LoginRequest[] = [];
    for (const id of await this.prompts.open(tx, mspId, technicianId, now)) {
      const request = await this.logins.find(tx, mspId, id);
      if (request !== null && isPending(request, now)) found.push(request);
    }
    return found;
  }

  /** Denies what of `requests` still waits, for `why`, and takes it off the phones. Answers how many it was. */
  async denyAll(tx: SystemTx, requests: readonly LoginRequest[], by: By, why: string): Promise<number> {
    const now = this.clock.now();
    let count = 0;
    for (const request of requests) {
      const denied = decideLogin(request, { do: 'deny' }, now);
      const decided = { at: now, by: by.kind === 'technician' ? by.id : null, inTimeAt: now };
      if (!(await this.logins.leavePending(tx, denied, decided))) continue;
      count += 1;
      const { askedTechnicianId, deviceId, hostName } = denied;
      const event = { subjectId: denied.id, occurredAt: now, actor: { kind: by.kind, id: by.id } };
      await auditOf(tx, denied, { action: 'login.denied', ...event, details: { deviceId, hostName, why } });
      if (askedTechnicianId !== null) tx.afterCommit(() => this.nudge(askedTechnicianId));
    }
    return count;
  }

  /** An access request waits: hints those who can approve it, at most 50. */
  async nudgeApprovers(tx: SystemTx, { mspId, accessRequestId }: Payload<'access-requested'>): Promise<void> {
    const request = await this.accessRequests.find(tx, mspId, accessRequestId);
    const tenant = request === null ? null : await this.copies.tenant(tx, mspId, request.tenantId);
    if (request?.state !== 'PENDING' || tenant === null) return;
    const { technicianId, approverGroupId } = request;
    const people = await this.copies.techniciansAssignedOn(tx, mspId, tenant.path, approverGroupId);
    const approvers = people.filter((one) => one.id !== technicianId && holds(one, 'access.approve', tenant.path));
    tx.afterCommit(() => {
      for (const { id } of approvers.slice(0, mostApproversNudged)) this.nudge(id);
    });
  }

  /** The logins that ask the calling technician now, oldest first. `actor` is narrowed to where `login.approve` is held. */
  async waitingFor(actor: Actor): Promise<LoginWithGrant[]> {
    if (actor.kind !== 'technician') return [];
    const now = this.clock.now();
    return this.tenancy.readTenants(actor, async (tx) => {
      const self = await this.copies.technician(tx, actor.mspId, actor.id);
      if (self?.active !== true) return [];
      const found: LoginWithGrant[] = [];
      for (const id of await this.prompts.open(tx, actor.mspId, actor.id, now)) {
        const request = await this.logins.find(tx, actor.mspId, id);
        if (request !== null) found.push({ request, grant: null, at: now });
      }
      return found;
    });
  }

  async #askable(tx: SystemTx, request: LoginRequest, email: string): Promise<Id | null> {
    const id = await this.prompts.technicianLocked(tx, request.mspId, email);
    const technician = id === null ? null : await this.copies.technician(tx, request.mspId, id);
    const tenant = await this.copies.tenant(tx, request.mspId, request.tenantId);
    return technician !== null && holds(technician, 'login.approve', tenant?.path ?? []) ? technician.id : null;
  }
}
