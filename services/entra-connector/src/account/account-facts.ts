import { Inject, Injectable } from '@nestjs/common';
import type { Clock, Id } from '@stint/kernel';
import { isDirectoryError } from '../graph/directory-error.ts';
import type { EntraDirectory } from '../graph/directory.port.ts';
import type { RoleDefinition } from '../graph/roles.port.ts';
import type { DirectoryDomain } from '../graph/tenant-facts.port.ts';
import { CLOCK } from '../tokens.ts';

/** What seldom changes in a tenant. */
export interface AccountFacts {
  definitions: RoleDefinition[];
  domains: DirectoryDomain[];
  rolesCanEnd: boolean;
}

const keptMs = 300_000;
const mostKept = 5_000;

function falseWhereForbidden(error: unknown): false {
  if (isDirectoryError(error, 'FORBIDDEN')) return false;
  throw error;
}

/** Facts about customers' tenants, asked for at most every five minutes. A wrong one costs a refused call, never access. */
@Injectable()
export class AccountFactsCache {
  readonly #kept = new Map<Id, { at: number; entraTenantId: string; facts: AccountFacts }>();

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  async of(tenantId: Id, directory: EntraDirectory): Promise<AccountFacts> {
    const now = this.clock.now().getTime();
    const kept = this.#kept.get(tenantId);
    const isOfIt = kept?.entraTenantId === directory.entraTenantId;
    if (kept !== undefined && isOfIt && Math.abs(now - kept.at) < keptMs) return kept.facts;
    const [definitions, domains, rolesCanEnd] = await Promise.all([
      directory.roles.definitions(),
      directory.tenant.domains(),
      // The permission for this is not required: without it Stint ends every role itself.
      directory.tenant.rolesCanEnd().catch(falseWhereForbidden),
    ]);
    const facts = { definitions, domains, rolesCanEnd };
    if (this.#kept.size >= mostKept) this.#kept.clear();
    this.#kept.set(tenantId, { at: now, entraTenantId: directory.entraTenantId, facts });
    return facts;
  }

  /** What is known turned out to be wrong. */
  forget(tenantId: Id): void {
    this.#kept.delete(tenantId);
  }
}
