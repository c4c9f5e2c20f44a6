import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@stint/kernel';
import type { Tenancy } from '@stint/tenancy';
import { DirectoryError } from '../graph/directory-error.ts';
import { EntraAccess, type EntraDirectory } from '../graph/directory.port.ts';
import { sameTenant } from '../graph/same-tenant.ts';
import { credentialPlan, roleNamed, type EntraGrant } from '../grant/grant.domain.ts';
import { CLOCK } from '../tokens.ts';
import { AccountFactsCache } from './account-facts.ts';
import type { Sighting } from './account.domain.ts';
import type { Claim } from './account.repository.ts';
import { ChangeService } from './change.service.ts';
import { DecisionService, type Decided } from './decision.service.ts';
import { LookService } from './look.service.ts';
import { OutcomeService, type Onwards, type Result } from './outcome.service.ts';

/** The database as the system role. */
export type SystemTenancy = Pick<Tenancy, 'asSystem'>;

/**
 * Leads one account to what must be: decide and store the intent, ask Entra with no transaction open, store the outcome; again until
 * there is nothing left to do now. Whoever dies in between leaves an intent; the next one begins with a look.
 */
@Injectable()
export class ConvergenceService {
  constructor(
    private readonly access: EntraAccess,
    private readonly decisions: DecisionService,
    private readonly outcomes: OutcomeService,
    private readonly looks: LookService,
    private readonly changes: ChangeService,
    private readonly facts: AccountFactsCache,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async converge(tenancy: SystemTenancy, claim: Claim, stop: AbortSignal): Promise<void> {
    const done = new Set<string>();
    let sighting: Sighting | null = null;
    while (!stop.aborted) {
      const known: Sighting | null = sighting;
      const decided = await tenancy.asSystem((tx) => this.decisions.decide(tx, claim, known, done));
      if (decided === null) return;
      const next = await this.#take(tenancy, claim, decided);
      if (next === null) return;
      sighting = next.sighting;
    }
    await tenancy.asSystem((tx) => this.decisions.release(tx, claim));
  }

  async #take(tenancy: SystemTenancy, claim: Claim, decided: Decided): Promise<Onwards> {
    const result = await this.#ask(decided).catch((error: unknown) => {
      if (error instanceof DirectoryError) return error;
      throw error;
    });
    return tenancy.asSystem((tx) => {
      if (result instanceof DirectoryError) return this.outcomes.failed(tx, claim, decided, result);
      return this.outcomes.succeeded(tx, claim, decided, result);
    });
  }

  /** Asks Entra. No transaction is open meanwhile. */
  async #ask({ step, account, grants, technician, sighting }: Decided): Promise<Result> {
    // Nobody waits for an account at rest.
    const connected = await this.access.of(account.mspId, account.tenantId, grants.length > 0 || account.mayBeEnabled ? 'HIGH' : 'LOW');
    const roles = grants.map(({ roleName }) => roleName).join(', ');
    const whatToDo =
      account.kind === 'JIT' ? 'delete it there by hand' : `take there by hand ${roles} from ${account.userPrincipalName ?? 'it'}`;
    const directory = sameTenant(connected, account.leftIn, { is: 'This account was left', whatToDo });
    if (step.do === 'LOOK') return this.looks.look(directory, account, grants, technician?.email ?? null, this.clock.now());
    if (step.do === 'CHECK') return { grant: await this.#check(directory, step.grant), sighting };
    if (sighting === null) throw new Error(`${step.do} without a look.`);
    return this.changes.make(directory, { account, technician }, step, sighting);
  }

  /** Whether it can be given at all, and how: found out before anything is. */
  async #check(directory: EntraDirectory, grant: EntraGrant): Promise<Partial<EntraGrant>> {
    const { definitions, rolesCanEnd } = await this.facts.of(grant.tenantId, directory);
    const role = roleNamed(definitions, grant.roleName);
    if (typeof role === 'string') {
      this.facts.forget(grant.tenantId);
      return { failure: role };
    }
    const checked = { roleDefinitionId: role.id, endsByItself: rolesCanEnd };
    if (grant.accountKind === 'OWN') return checked;
    return { ...checked, ...credentialPlan(await directory.passes.policy(), grant.sessionSeconds) };
  }
}
