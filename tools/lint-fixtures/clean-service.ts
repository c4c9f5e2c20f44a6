// as: services/jit-policy/src/grant/grant.service.ts
import { type Actor } from '@stint/contracts';
import { type Id } from '@stint/kernel';
import { audit, emit } from '@stint/messaging';
import { type Tenancy } from '@stint/tenancy';
import { activate } from './grant.domain.ts';
import { type GrantRepository } from './grant.repository.ts';

export class GrantService {
  constructor(
    readonly tenancy: Tenancy,
    readonly grants: GrantRepository,
  ) {}

  async activate(actor: Actor, tenantId: Id, id: Id, now: Date): Promise<void> {
    await this.tenancy.inTenant(actor, tenantId, async (tx) => {
      const grant = activate(await this.grants.byId(tx, id), now, 3600);
      await this.grants.save(tx, grant);
      await emit(tx, 'grant-changed', { id });
      await audit(tx, { action: 'grant.activated', subjectId: id });
    });
  }
}
