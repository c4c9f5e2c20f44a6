import { Inject, Injectable } from '@nestjs/common';
import { conflict, invalidInput, isId, newId, notFound, type Clock, type Id, type PageRequest } from '@stint/kernel';
import type { Actor, AuditAction } from '@stint/contracts';
import { CopyMissing, Tenancy, type ReadTx, type SystemTx, type TenantTx } from '@stint/tenancy';
import { auditOf, type WriteTx } from '../audit-trail.ts';
import { RecheckRepository } from '../access/recheck.repository.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { OfflineRefreshRepository } from '../offline/offline-refresh.repository.ts';
import { CLOCK } from '../tokens.ts';
import {
  changedRule,
  firstRule,
  groupsNamed,
  mostRulesOfTenant,
  newRule,
  ruleChanges,
  unknownGroup,
  type AccessRule,
  type RuleInput,
} from './access-rule.domain.ts';
import { AccessRuleRepository } from './access-rule.repository.ts';

/** Making, changing, removing and reading access rules. Each change leaves a mark to look again at what is live. */
@Injectable()
export class AccessRuleService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly rules: AccessRuleRepository,
    private readonly rechecks: RecheckRepository,
    private readonly offline: OfflineRefreshRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Makes a rule of a tenant. The same call again answers what it made. */
  async create(actor: Actor, id: Id, tenantId: Id, input: RuleInput): Promise<AccessRule> {
    if (!isId(id)) throw invalidInput('id', 'id must be a UUIDv7 in its canonical lower-case form.');
    if (!isId(tenantId)) throw notFound('tenant');
    const rule = newRule({ mspId: actor.mspId, tenantId, id }, input);
    return this.directory.patiently(() =>
      this.tenancy.inTenantOf(
        actor,
        'tenant',
        async (tx) => {
          if (!(await this.#sees(tx, tenantId))) throw new CopyMissing([tenantId], notFound('tenant'));
          await this.#seesGroups(tx, rule, []);
          return tenantId;
        },
        async (tx) => {
          await this.rules.hold(tx, actor.mspId, 'to change');
          const known = await this.rules.findLocked(tx, actor.mspId, id);
          if (known !== null && Object.keys(ruleChanges(known, rule)).length === 0) return known;
          if (known === null && (await this.rules.count(tx, actor.mspId, tenantId)) >= mostRulesOfTenant)
            throw conflict(`A tenant can have at most ${mostRulesOfTenant} access rules. Remove one first.`);
          if (known !== null || !(await this.rules.insert(tx, rule)))
            throw conflict('There is an access rule with this id already. Use a fresh id.');
          await this.#changed(tx, 'access-rule.created', null, rule);
          return rule;
        },
      ),
    );
  }

  /** Changes the fields that are there, all or none. */
  async change(actor: Actor, id: Id, input: RuleInput): Promise<AccessRule> {
    return this.directory.patiently(() =>
      this.#inTenantOf(
        actor,
        id,
        async (tx, found) => this.#seesGroups(tx, changedRule(found, input), groupsNamed(found)),
        async (tx, rule) => {
          const next = changedRule(rule, input);
          if (Object.keys(ruleChanges(rule, next)).length === 0) return rule;
          await this.rules.save(tx, next);
          await this.#changed(tx, 'access-rule.changed', rule, next);
          return next;
        },
      ),
    );
  }

  /** Removes a rule. Problem `NotFound` when it is gone already. */
  async remove(actor: Actor, id: Id): Promise<AccessRule> {
    return this.#inTenantOf(
      actor,
      id,
      async () => undefined,
      async (tx, rule) => {
        await this.rules.remove(tx, rule);
        await this.#changed(tx, 'access-rule.removed', rule, null);
        return rule;
      },
    );
  }

  /** The first rule of a new MSP, in the transaction in which we learn of it. */
  async begin(tx: SystemTx, mspId: Id): Promise<void> {
    const rule = firstRule({ mspId, tenantId: mspId, id: newId() });
    await this.rules.insert(tx, rule);
    await this.#changed(tx, 'access-rule.created', null, rule);
  }

  /** One rule; Problem `NotFound` when it is out of reach. Rules above the actor's tenants are in reach for reading: they count there. */
  async read(actor: Actor, id: Id): Promise<AccessRule> {
    const rule = isId(id) ? await this.tenancy.readTenants(actor, (tx) => this.rules.find(tx, actor.mspId, id)) : null;
    if (rule === null) throw notFound('access rule');
    return rule;
  }

  /** The rules set on each tenant, oldest first, with one surplus row where there are more; tenants out of reach are not in the answer. */
  async pages(actor: Actor, tenantIds: readonly Id[], page: PageRequest): Promise<Map<Id, AccessRule[]>> {
    const visible = await this.directory.visible(actor, 'tenant', tenantIds);
    if (visible.size === 0) return new Map();
    return this.tenancy.readTenants(actor, (tx) => this.rules.pages(tx, actor.mspId, [...visible], page));
  }

  async #inTenantOf(
    actor: Actor,
    id: Id,
    check: (tx: ReadTx, rule: AccessRule) => Promise<void>,
    work: (tx: TenantTx, rule: AccessRule) => Promise<AccessRule>,
  ): Promise<AccessRule> {
    return this.tenancy.inTenantOf(
      actor,
      'access rule',
      async (tx) => {
        const found = isId(id) ? await this.rules.find(tx, actor.mspId, id) : null;
        // A rule of a tenant above can be read, and its tenant cannot be entered: NotFound, as for any other.
        if (found === null || !(await this.#sees(tx, found.tenantId))) return null;
        await check(tx, found);
        return found.tenantId;
      },
      async (tx) => {
        await this.rules.hold(tx, actor.mspId, 'to change');
        const rule = await this.rules.findLocked(tx, actor.mspId, id);
        if (rule === null) throw notFound('access rule');
        return work(tx, rule);
      },
    );
  }

  async #sees(tx: ReadTx, tenantId: Id): Promise<boolean> {
    return (await this.copies.visible(tx, tx.scope.mspId, 'tenant', [tenantId])).has(tenantId);
  }

  /** The groups that a rule newly names must be visible to whoever names them. */
  async #seesGroups(tx: ReadTx, rule: AccessRule, known: readonly Id[]): Promise<void> {
    const named = groupsNamed(rule).filter((id) => !known.includes(id));
    if (named.length === 0) return;
    const seen = await this.rules.knownGroups(tx, rule.mspId, named);
    const missing = named.filter((id) => !seen.has(id));
    const [first] = missing;
    if (first === undefined) return;
    const index = rule.groups.indexOf(first);
    throw new CopyMissing(missing, invalidInput(index === -1 ? 'approverGroup' : `groups.${index}`, unknownGroup));
  }

  async #changed(tx: WriteTx, action: AuditAction, before: AccessRule | null, after: AccessRule | null): Promise<void> {
    const rule = after ?? before;
    if (rule === null) return;
    const now = this.clock.now();
    await this.rechecks.ask(tx, rule.mspId, rule.tenantId, now);
    await this.offline.ask(tx, rule.mspId, [rule.tenantId]);
    const details = { name: rule.name, ...ruleChanges(before, after) };
    await auditOf(tx, rule, { action, subjectId: rule.id, occurredAt: now, details });
  }
}
