import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { EntraAccess, type EntraDirectory, type Urgency } from './directory.port.ts';
import { guardedDirectory } from './guarded-directory.ts';
import { ProtectedAccountRepository } from './protected-account.repository.ts';
import { UnguardedEntraAccess } from './unguarded-access.ts';

/** The way to Entra for everybody: protected accounts can be looked at, and nothing else. */
@Injectable()
export class GuardedEntraAccess extends EntraAccess {
  constructor(
    private readonly inner: UnguardedEntraAccess,
    private readonly tenancy: Tenancy,
    private readonly protectedAccounts: ProtectedAccountRepository,
  ) {
    super();
  }

  async of(mspId: Id, tenantId: Id, urgency: Urgency): Promise<EntraDirectory> {
    const directory = await this.inner.of(mspId, tenantId, urgency);
    // Asked at every change, so that an account counts from the moment in which it was registered.
    return guardedDirectory(directory, (objectId) =>
      this.tenancy.asSystem((tx) => this.protectedAccounts.why(tx, mspId, tenantId, objectId)),
    );
  }
}
