import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { id, reason, type Actor } from '@stint/contracts';
import { conflict, isId, notFound, Problem, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type TenantTx, type Tx } from '@stint/tenancy';
import { markerPrefix } from '../account/account.domain.ts';
import { holds } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { isDirectoryError } from '../graph/directory-error.ts';
import { EntraAccess } from '../graph/directory.port.ts';
import { ProtectedAccountRepository } from '../graph/protected-account.repository.ts';
import { CLOCK } from '../tokens.ts';
import { mostAccounts, type BreakGlassAccount } from './break-glass.domain.ts';
import { BreakGlassRepository } from './break-glass.repository.ts';
import { findingOf, type Finding, type Known } from './finding.domain.ts';
import { VaultNews } from './vault-news.service.ts';

const wanted = z.object({ tenantId: z.string(), account: z.string().trim().min(1).max(113) });
const registration = z.object({ id, tenantId: z.string(), objectId: z.guid().toLowerCase(), digest: z.string().regex(/^[0-9a-f]{64}$/) });
const removal = z.object({ id, reason });
const objectIds = z.guid();

/** Registers break-glass accounts of Entra tenants, after a look at what would be registered, and takes them off again. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly access: EntraAccess,
    private readonly accounts: BreakGlassRepository,
    private readonly protectedAccounts: ProtectedAccountRepository,
    private readonly vault: VaultNews,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Those of a tenant. Problem `NotFound` when it is out of reach. */
  async ofTenant(actor: Actor, tenantId: Id): Promise<BreakGlassAccount[]> {
    if (!(await this.directory.visibleTenants(actor, [tenantId])).has(tenantId)) throw notFound('tenant');
    return this.tenancy.readTenants(actor, (tx) => this.accounts.ofTenant(tx, actor.mspId, tenantId, false));
  }

  /** One account. Problem `NotFound` when it is out of reach. */
  async read(actor: Actor, accountId: Id): Promise<BreakGlassAccount> {
    const account = isId(accountId) ? await this.tenancy.readTenants(actor, (tx) => this.accounts.find(tx, actor.mspId, accountId)) : null;
    if (account === null) throw notFound('break-glass account');
    return account;
  }

  /** What would be registered. Nothing is changed anywhere. */
  async look(actor: Actor, raw: unknown): Promise<Finding> {
    const { tenantId, account } = checkInput(wanted, raw);
    await this.directory.inTenant(actor, tenantId, (tx) => this.#mayManage(tx, actor));
    return this.#finding(actor.mspId, tenantId, account);
  }

  /** Registers exactly what was shown. The same call again answers the same. */
  async register(actor: Actor, raw: unknown): Promise<BreakGlassAccount> {
    const input = checkInput(registration, raw);
    const { mspId } = actor;
    const before = await this.directory.inTenant(actor, input.tenantId, async (tx) => {
      await this.#mayManage(tx, actor);
      return (await this.accounts.ofTenant(tx, mspId, tx.scope.tenantId, true)).find(({ objectId }) => objectId === input.objectId);
    });
    if (before?.registered === true) return before;
    const finding = await this.#finding(mspId, input.tenantId, input.objectId);
    if (finding.digest !== input.digest)
      throw conflict('This is not what Entra shows now. Look at the account again before you register it.');
    const [obstacle] = finding.obstacles;
    if (obstacle !== undefined) throw new Problem('EntraAccountUnfit', obstacle);
    return this.tenancy.inTenant(actor, input.tenantId, (tx) => this.#add(tx, input.id, finding));
  }

  /** Stint does not change its password any more, and does not protect it. The vault keeps what it has. Repeating the call is harmless. */
  async remove(actor: Actor, raw: unknown): Promise<BreakGlassAccount> {
    const { id: accountId, reason: why } = checkInput(removal, raw);
    return this.tenancy.inTenantOf(
      actor,
      'break-glass account',
      async (tx) => (await this.accounts.find(tx, actor.mspId, accountId))?.tenantId ?? null,
      async (tx) => {
        await this.#mayManage(tx, actor);
        const account = await this.accounts.locked(tx, actor.mspId, accountId);
        if (account === null) throw notFound('break-glass account');
        if (!account.registered) return account;
        const now = this.clock.now();
        const patch = { registered: false, dueAt: null, leaseUntil: null, dueFence: null, problem: null, tampered: false };
        // Its new password may be in Entra already; the vault has it.
        await this.accounts.removeCandidate(tx, actor.mspId, accountId);
        await this.protectedAccounts.remove(tx, account);
        await this.vault.saveAndTell(tx, account, patch, now);
        const details = { accountName: account.userPrincipalName, objectId: account.objectId, reason: why };
        await audit(tx, { action: 'entra-break-glass.removed', subjectId: accountId, occurredAt: now, details });
        return { ...account, ...patch };
      },
    );
  }

  /** The look may be old by now: what was decided on it is looked at once more, under the lock. */
  async #add(tx: TenantTx, newId: Id, finding: Finding): Promise<BreakGlassAccount> {
    const { mspId, tenantId } = tx.scope;
    await this.accounts.holdTenant(tx, tenantId);
    const there = await this.accounts.ofTenant(tx, mspId, tenantId, true);
    const before = there.find(({ objectId }) => objectId === finding.objectId);
    if (before?.registered === true) return before;
    const known = await this.#knownHere(tx, mspId, tenantId, finding.objectId);
    if (known.isRegistered || known.hasGrants || known.registered >= mostAccounts || finding.obstacles.length > 0)
      throw conflict('Something has changed since the account was looked at. Look at it again.');
    const now = this.clock.now();
    const { objectId, entraTenantId, userPrincipalName, displayName } = finding;
    const fresh: BreakGlassAccount = {
      ...{ mspId, tenantId, id: newId, objectId, entraTenantId, userPrincipalName, displayName, registered: true, registeredAt: now },
      ...{ version: 1, toldAt: now, dueFence: null, vaultKey: null, policy: null, versionId: null, passwordChangedAt: null },
      ...{ tampered: false, problem: null, dueAt: now, failures: 0, changes: 0, fence: 0, leaseUntil: null },
    };
    let account = fresh;
    if (before === undefined) {
      await this.accounts.add(tx, fresh);
      await this.vault.tell(tx, fresh);
    } else {
      // Registered once more: the vault knows it under its old id, with all its passwords.
      const patch = {
        entraTenantId,
        userPrincipalName,
        displayName,
        registered: true,
        registeredAt: now,
        dueAt: now,
        failures: 0,
        passwordChangedAt: null,
      };
      await this.vault.saveAndTell(tx, before, patch, now);
      account = { ...before, ...patch };
    }
    await this.protectedAccounts.add(tx, account, 'it is a break-glass account');
    const details = {
      ...{ accountName: userPrincipalName, objectId, enabled: finding.enabled, digest: finding.digest },
      ...{ roles: finding.roles.join(', ').slice(0, 1_000), groups: finding.groups.join(', ').slice(0, 1_000) },
    };
    await audit(tx, { action: 'entra-break-glass.registered', subjectId: account.id, occurredAt: now, details });
    return account;
  }

  async #finding(mspId: Id, tenantId: Id, wantedAccount: string): Promise<Finding> {
    try {
      const directory = await this.access.of(mspId, tenantId, 'HIGH');
      const user = objectIds.safeParse(wantedAccount).success
        ? await directory.users.byId({ id: wantedAccount.toLowerCase(), createdAt: null })
        : await directory.users.byName(wantedAccount);
      if (user === null)
        throw new Problem(
          'EntraAccountUnfit',
          'There is no such account in this Entra tenant. Give its object id, or its user principal name.',
        );
      const [roles, definitions, groups, domains, here] = await Promise.all([
        directory.roles.of(user.id),
        directory.roles.definitions(),
        directory.groups.holding(user.id),
        directory.tenant.domains(),
        this.tenancy.asSystem((tx) => this.#knownHere(tx, mspId, tenantId, user.id)),
      ]);
      const isOurs = user.marker?.startsWith(markerPrefix(tenantId)) === true;
      const { entraTenantId } = directory;
      return findingOf({ entraTenantId, user, roles, definitions, groups, domains, isOurs, ...here });
    } catch (error) {
      if (!isDirectoryError(error)) throw error;
      throw new Problem('EntraUnavailable', error.message);
    }
  }

  async #knownHere(tx: Tx, mspId: Id, tenantId: Id, objectId: string): Promise<Pick<Known, 'hasGrants' | 'isRegistered' | 'registered'>> {
    const there = await this.accounts.ofTenant(tx, mspId, tenantId, false);
    const hasGrants = await this.accounts.hasGrants(tx, mspId, tenantId, objectId);
    return { hasGrants, registered: there.length, isRegistered: there.some((account) => account.objectId === objectId) };
  }

  /** Both: what is done here is done to passwords and to Entra. */
  async #mayManage(tx: TenantTx, actor: Actor): Promise<void> {
    const path = (await this.copies.tenant(tx, actor.mspId, tx.scope.tenantId))?.path ?? [];
    if (!holds(actor, 'laps.manage', path) || !holds(actor, 'entra.manage', path)) throw notFound('tenant');
  }
}
