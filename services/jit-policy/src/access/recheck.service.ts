import { Inject, Injectable } from '@nestjs/common';
import type { Clock, Id } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';
import { AccessRequestEnding } from '../access-request/access-request-ending.ts';
import { AccessRequestRepository } from '../access-request/access-request.repository.ts';
import { DeviceWorkService } from '../device-state/device-work.service.ts';
import type { DeviceCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { EntraGrantRepository } from '../entra/entra-grant.repository.ts';
import { EntraWorkService } from '../entra/entra-work.service.ts';
import { isLive } from '../grant/grant.domain.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { CLOCK } from '../tokens.ts';
import { accountOn, AccessService, entraRole } from './access.service.ts';

/**
 * Ends what is live and would be denied now: grants and waiting requests. Hours are looked at by the time at which access
 * was approved or asked for, so that the end of the hours ends nothing; demands counted then, and are not asked again.
 */
@Injectable()
export class RecheckService {
  constructor(
    private readonly copies: DirectoryRepository,
    private readonly grants: GrantRepository,
    private readonly requests: AccessRequestRepository,
    private readonly ending: AccessRequestEnding,
    private readonly access: AccessService,
    private readonly work: DeviceWorkService,
    private readonly entraGrants: EntraGrantRepository,
    private readonly entraWork: EntraWorkService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** What the technician has anywhere, after their copy changed in this transaction. */
  async ofTechnician(tx: SystemTx, mspId: Id, technicianId: Id): Promise<void> {
    const devices = new Set([
      ...(await this.grants.devicesOfLive(tx, mspId, technicianId)),
      ...(await this.requests.devicesOfPending(tx, mspId, technicianId)),
    ]);
    for (const deviceId of [...devices].sort()) {
      const device = await this.copies.deviceLocked(tx, mspId, deviceId);
      if (device !== null) await this.#look(tx, device, technicianId);
    }
    for (const id of await this.entraGrants.idsOfLiveAndWaiting(tx, mspId, technicianId)) await this.inEntra(tx, mspId, id);
  }

  /** Access in Entra: the request and the grant with this id. */
  async inEntra(tx: SystemTx, mspId: Id, id: Id): Promise<void> {
    const now = this.clock.now();
    const request = await this.requests.lockedForEntra(tx, mspId, id);
    const grant = await this.entraGrants.locked(tx, mspId, id);
    if (request?.state === 'PENDING' && request.target.kind === 'ENTRA') {
      const why = await this.#whyNotInEntra(tx, request, request.target.roleName, request.requestedAt);
      if (why !== null) await this.ending.cancel(tx, [request], why, null);
    }
    if (grant !== null && isLive(grant, now)) {
      const why = await this.#whyNotInEntra(tx, grant, grant.target.roleName, grant.approvedAt);
      if (why !== null) await this.entraWork.end(tx, grant, 'ACCESS_REMOVED', null, now);
    }
  }

  async #whyNotInEntra(
    tx: SystemTx,
    of: { mspId: Id; tenantId: Id; technicianId: Id },
    roleName: string,
    at: Date,
  ): Promise<string | null> {
    const technician = await this.copies.technician(tx, of.mspId, of.technicianId);
    if (technician === null) return unknownTechnician;
    const decision = await this.access.decide(tx, technician, entraRole(of, roleName), at);
    return decision.allowed ? null : decision.why;
  }

  /** What anybody has on the device, which is locked. */
  async ofDevice(tx: SystemTx, device: DeviceCopy): Promise<void> {
    await this.#look(tx, device, null);
  }

  // The technicians are read without a lock: whoever changes one looks at this device again, after us.
  async #look(tx: SystemTx, device: DeviceCopy, only: Id | null): Promise<void> {
    const now = this.clock.now();
    const mine = ({ technicianId }: { technicianId: Id }) => only === null || technicianId === only;
    const work = await this.work.open(tx, device, now);
    const live = work.grants.filter((grant) => mine(grant) && isLive(grant, now));
    const waiting = (await this.requests.pendingOfDevice(tx, device.mspId, device.id)).filter(mine);
    const decide = await this.access.lookAt(tx, accountOn(device));
    const denied = new Map<Id, string>();
    for (const { id, technicianId, at } of [
      ...live.map((grant) => ({ ...grant, at: grant.approvedAt })),
      ...waiting.map((request) => ({ ...request, at: request.requestedAt })),
    ]) {
      const technician = await this.copies.technician(tx, device.mspId, technicianId);
      const decision = technician === null ? null : decide(technician, at);
      if (decision?.allowed !== true) denied.set(id, decision?.why ?? unknownTechnician);
    }
    await work.endAll(({ id }) => denied.has(id), 'ACCESS_REMOVED');
    await work.finish();
    for (const [id, why] of denied) await this.ending.cancelOnDevice(tx, device, (request) => request.id === id, why, null);
  }
}

const unknownTechnician = 'The technician is not known any more.';
