import { Injectable } from '@nestjs/common';
import { Problem, type Id } from '@stint/kernel';
import type { AccountKind } from '@stint/contracts';
import type { Tx } from '@stint/tenancy';
import type { AccessKind, AccessRule } from '../access-rule/access-rule.domain.ts';
import { AccessRuleRepository } from '../access-rule/access-rule.repository.ts';
import type { DeviceCopy, TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { decideAccess, type Decision } from './access.domain.ts';

/** What access is asked for: a kind of access in a tenant, on a device unless it is an Entra role. */
export interface AccessTarget {
  mspId: Id;
  tenantId: Id;
  kind: AccessKind;
  deviceTags: readonly string[];
  entraRole: string | null;
}

/** Loads what a decision rests on, and decides. */
@Injectable()
export class AccessService {
  constructor(
    private readonly copies: DirectoryRepository,
    private readonly rules: AccessRuleRepository,
  ) {}

  /**
   * Holds the MSP's rules until the transaction ends, so that what is made on the strength of a decision is seen by the
   * re-check of a rule that changes meanwhile. After the technician, and before the device is locked.
   */
  async hold(tx: Tx, mspId: Id): Promise<void> {
    await this.rules.hold(tx, mspId, 'to decide');
  }

  /**
   * Decides by our copies and rules as they are in this transaction. `at` is the time by which hours are looked at. What
   * changes something calls `hold` before; what only tells need not.
   */
  async decide(
    tx: Tx,
    technician: Pick<TechnicianCopy, 'active' | 'assignments' | 'groupIds'>,
    target: AccessTarget,
    at: Date,
  ): Promise<Decision> {
    return (await this.lookAt(tx, target))(technician, at);
  }

  /** The same for many technicians and times on one target: what is common is loaded once. */
  async lookAt(
    tx: Tx,
    target: AccessTarget,
  ): Promise<(technician: Pick<TechnicianCopy, 'active' | 'assignments' | 'groupIds'>, at: Date) => Decision> {
    const tenant = await this.copies.tenant(tx, target.mspId, target.tenantId);
    const tenantPath = tenant?.path ?? [];
    const rules: AccessRule[] = await this.rules.ofPath(tx, target.mspId, tenantPath);
    return (technician, at) => decideAccess({ at, technician, target: { ...target, tenantPath }, rules });
  }
}

/** An account on the device: of the computer itself, or of its domain. */
export function accountOn(device: Pick<DeviceCopy, 'mspId' | 'tenantId' | 'tags'>, accountKind: AccountKind = 'LOCAL'): AccessTarget {
  const kind = accountKind === 'DOMAIN' ? 'DOMAIN_ADMIN' : 'LOCAL_ADMIN';
  return { mspId: device.mspId, tenantId: device.tenantId, kind, deviceTags: device.tags, entraRole: null };
}

/** A role in the Entra tenant of the tenant. */
export function entraRole({ mspId, tenantId }: Pick<AccessTarget, 'mspId' | 'tenantId'>, roleName: string): AccessTarget {
  return { mspId, tenantId, kind: 'ENTRA_ROLE', deviceTags: [], entraRole: roleName };
}

/** The decision where it allows; Problem `AccessDenied` otherwise. */
export function allowed(decision: Decision): Decision {
  if (!decision.allowed) throw new Problem('AccessDenied', decision.why, { rule: decision.ruleName });
  return decision;
}

/** What a grant keeps of the decision that it was made on. */
export interface DecidingRule {
  id: Id | null;
  name: string | null;
  /** The longest that a session may last in all, however it is extended. */
  maxSeconds: number;
}

export function ruleOf({ ruleId, ruleName, maxSeconds }: Decision): DecidingRule {
  return { id: ruleId, name: ruleName, maxSeconds };
}
