import type { Clock } from '@stint/kernel';
import type { Tenancy } from '@stint/tenancy';
import { GroupRepository } from '../group/group.repository.ts';
import { PasskeyRepository } from '../passkey/passkey.repository.ts';
import { RoleRepository } from '../role/role.repository.ts';
import { ArtefactRepository } from '../session/artefact.repository.ts';
import { SessionRepository } from '../session/session.repository.ts';
import { SessionService } from '../session/session.service.ts';
import { TechnicianCopies } from '../technician/technician-copies.ts';
import { TechnicianRepository } from '../technician/technician.repository.ts';
import { TenantRepository } from '../tenant/tenant.repository.ts';
import type { Revoke } from '../tokens.ts';
import { SourceGivenRepository } from './source-given.repository.ts';
import { SourcePersonRepository } from './source-person.repository.ts';
import { SourceTechnicianService } from './source-technician.service.ts';

/** Wired by hand: messages are handled before, and without, the part of the service that answers requests. */
export function sourceTechnicianService(outside: { tenancy: Tenancy; clock: Clock; revoke: Revoke }): SourceTechnicianService {
  const { tenancy, clock, revoke } = outside;
  const technicians = new TechnicianRepository();
  const held = new RoleRepository();
  return new SourceTechnicianService({
    ...{ people: new SourcePersonRepository(), given: new SourceGivenRepository(), technicians, held, clock, revoke },
    copies: new TechnicianCopies(technicians, held, new GroupRepository(), new PasskeyRepository()),
    sessions: new SessionService(tenancy, new SessionRepository(), new ArtefactRepository(), new TenantRepository(), clock, revoke),
  });
}
