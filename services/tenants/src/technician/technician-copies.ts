import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import { emit } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { GroupRepository } from '../group/group.repository.ts';
import { PasskeyRepository } from '../passkey/passkey.repository.ts';
import { RoleRepository } from '../role/role.repository.ts';
import { TechnicianRepository } from './technician.repository.ts';

/** Keeps the other services' copies of technicians up to date. Roles and groups stand in other tenants than the technician, hence as the system. */
@Injectable()
export class TechnicianCopies {
  constructor(
    private readonly technicians: TechnicianRepository,
    private readonly roles: RoleRepository,
    private readonly groups: GroupRepository,
    private readonly passkeys: PasskeyRepository,
  ) {}

  /** Gives the technician a new version and tells who they are now. */
  async changed(tx: SystemTx, mspId: Id, technicianId: Id): Promise<void> {
    await this.technicians.nextVersion(tx, mspId, technicianId);
    await this.tell(tx, mspId, technicianId);
  }

  /** Tells who the technician is, at the version that they have. */
  async tell(tx: SystemTx, mspId: Id, technicianId: Id): Promise<void> {
    const technician = await this.technicians.lock(tx, mspId, technicianId);
    if (technician === null) return;
    const { tenantId, email, displayName, active, totpEnrolled, version, sourceObjectId } = technician;
    const held = await this.roles.ofTechnicians(tx, mspId, [technicianId]);
    const groups = await this.groups.ofTechnician(tx, mspId, technicianId);
    await emit(tx, 'technician-changed', {
      ...{ mspId, tenantId, technicianId, email, displayName, active, totpEnrolled, version, sourceObjectId },
      assignments: held.map((one) => ({ tenantId: one.tenantId, role: one.role })),
      groupIds: groups.map(({ id }) => id),
    });
  }

  /** Tells which keys sign the technician's approvals. */
  async tellKeys(tx: SystemTx, mspId: Id, technicianId: Id): Promise<void> {
    await this.technicians.nextVersion(tx, mspId, technicianId);
    const technician = await this.technicians.lock(tx, mspId, technicianId);
    if (technician === null) return;
    const passkeys = await this.passkeys.ofTechnicians(tx, mspId, [technicianId]);
    const keys = passkeys.map(({ credentialId, publicKey, algorithm }) => ({ id: credentialId, publicKey, algorithm }));
    await emit(tx, 'technician-keys-changed', { mspId, tenantId: technician.tenantId, technicianId, keys, version: technician.version });
  }
}
