import { Inject, Injectable } from '@nestjs/common';
import { addSeconds, type Clock } from '@stint/kernel';
import { audit } from '@stint/messaging';
import type { AuditAction } from '@stint/contracts';
import type { SystemTx } from '@stint/tenancy';
import { isDirectoryError, passes, type DirectoryError } from '../graph/directory-error.ts';
import type { EntraGrant } from '../grant/grant.domain.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { auditGrant } from '../grant/grant-report.ts';
import { CLOCK } from '../tokens.ts';
import { settlesSeconds, type Sighting } from './account.domain.ts';
import { AccountRepository, type Claim } from './account.repository.ts';
import type { Changed } from './change.service.ts';
import { DecisionService, type Decided } from './decision.service.ts';
import { isFor } from './step.domain.ts';
import { StepRepository } from './step.repository.ts';

/** Whether to go on at once, with what is known of Entra now. */
export type Onwards = { sighting: Sighting | null } | null;

/** What a step brought; null where it showed nothing. */
export type Result = Omit<Changed, 'sighting'> & { sighting: Sighting | null };

const superseded =
  'A newer grant of yours for this tenant has its own pass, which replaced this one. Sign in with that, or ask for a new one.';
const removeAgainSeconds = 30;

/** Stores what came of a step: exact results for the way back, and what a failure means. */
@Injectable()
export class OutcomeService {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly grants: GrantRepository,
    private readonly steps: StepRepository,
    private readonly decisions: DecisionService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** A look, a check or a change went well. */
  async succeeded(tx: SystemTx, claim: Claim, decided: Decided, result: Result): Promise<Onwards> {
    const account = await this.accounts.held(tx, claim);
    if (account === null) return null;
    const { step, stepId } = decided;
    const name = result.account?.userPrincipalName;
    if (step.do === 'LOOK' && account.kind === 'JIT' && account.objectId !== null && name != null && name !== account.userPrincipalName) {
      await this.#audit(tx, decided, 'entra-account.drifted', { what: 'renamed', from: account.userPrincipalName, accountName: name });
    }
    const id = result.account?.objectId;
    if (step.do === 'LOOK' && account.kind === 'OWN') {
      // Somebody moves the technician's address, whether it is followed or not: who watches the log should know.
      const moved = { from: account.userPrincipalName, what: 'address moved' };
      if (id != null && account.objectId !== null && id !== account.objectId)
        await this.#audit(tx, decided, 'entra-account.drifted', { ...moved, accountName: name ?? null });
      const { user, doubt } = result.sighting ?? { user: null, doubt: null };
      if (user === null && doubt !== null) await this.#audit(tx, decided, 'entra-account.drifted', { ...moved, why: doubt });
    }
    if (stepId !== null) await this.steps.end(tx, account.mspId, stepId, 'DONE', result.detail ?? null, this.clock.now());
    if (result.account !== undefined && Object.keys(result.account).length > 0) await this.accounts.save(tx, account, result.account);
    if (result.grant !== undefined && 'grant' in step && step.grant !== null) await this.#keepResult(tx, decided, step.grant, result.grant);
    await this.#tell(tx, { ...decided, account: { ...decided.account, ...result.account } }, decided.account.mayBeEnabled);
    return { sighting: result.sighting };
  }

  async #keepResult(tx: SystemTx, { step, grants }: Decided, grant: EntraGrant, result: Partial<EntraGrant>): Promise<void> {
    if (step.do === 'ISSUE_CREDENTIAL') {
      const now = await this.grants.find(tx, grant.mspId, grant.id);
      // Another key was given meanwhile: what is sealed to the old one is of no use, and another one is made.
      if (now?.recipientKey !== grant.recipientKey) return;
      for (const other of grants) {
        if (other.id === grant.id || other.enc === null) continue;
        await this.grants.save(tx, other, { enc: null, ciphertext: null, notice: superseded });
      }
    }
    const served = step.do === 'REMOVE_ROLE' ? grants.filter((one) => isFor(one, step.assignment)) : [grant];
    for (const one of served) await this.grants.save(tx, one, result);
  }

  async #tell(tx: SystemTx, decided: Decided, wasEnabled: boolean): Promise<void> {
    const { step, account } = decided;
    const accountName = account.userPrincipalName;
    switch (step.do) {
      case 'CREATE_USER':
        return this.#audit(tx, decided, 'entra-account.created', { accountName });
      case 'ENABLE':
        return this.#audit(tx, decided, 'entra-account.enabled', { accountName });
      case 'DISABLE':
        if (!wasEnabled) await this.#audit(tx, decided, 'entra-account.drifted', { accountName, what: 'enabled' });
        return this.#audit(tx, decided, 'entra-account.disabled', { accountName });
      case 'DELETE_USER':
        return this.#audit(tx, decided, 'entra-account.deleted', { accountName });
      case 'REMOVE_ROLE':
        if (step.grant !== null) return;
        return this.#audit(tx, decided, 'entra-access.stray-removed', {
          ...{ accountName, roleDefinitionId: step.assignment.roleDefinitionId, scope: step.assignment.scope },
        });
      case 'ISSUE_CREDENTIAL':
        return auditGrant(tx, step.grant, 'entra-access.pass-issued', this.clock.now(), accountName, { kind: step.grant.credentialKind });
      default:
    }
  }

  async #audit(tx: SystemTx, { account }: Decided, action: AuditAction, details: Record<string, string | null>): Promise<void> {
    const { mspId, tenantId, id: subjectId } = account;
    await audit(tx, { mspId, tenantId, subjectId, action, occurredAt: this.clock.now(), details });
  }

  /** A step did not go well. */
  async failed(tx: SystemTx, claim: Claim, decided: Decided, error: DirectoryError): Promise<Onwards> {
    const account = await this.accounts.held(tx, claim);
    if (account === null) return null;
    const { stepId, sighting } = decided;
    const now = this.clock.now();
    const { message } = error;
    const uncertain = error.mayHaveHappened;
    if (stepId !== null) await this.steps.end(tx, account.mspId, stepId, uncertain ? 'UNKNOWN' : 'REFUSED', message, now);
    if (!uncertain) {
      if (await this.#undoIntent(tx, decided, error)) return { sighting: sighting === null ? null : { ...sighting, fresh: false } };
      if (!passes(error) && (await this.#failGrants(tx, decided, message))) return { sighting };
    }
    const grants = await this.grants.openOf(tx, account.mspId, account.id);
    await this.decisions.pause(tx, account, grants, message, error.retryAfterSeconds);
    // Somebody wants something else since this was begun: do not let them wait.
    if (account.changes !== decided.account.changes) await this.accounts.save(tx, account, { dueAt: now });
    return null;
  }

  /** Takes back what an intent said might be so, as nothing happened. True: there is another way, to be gone at once. */
  async #undoIntent(tx: SystemTx, { step, account }: Decided, error: DirectoryError): Promise<boolean> {
    const now = this.clock.now();
    switch (step.do) {
      case 'CREATE_USER': {
        const mayBeOurs = account.creatingSince !== null && now < addSeconds(account.creatingSince, settlesSeconds);
        if (isDirectoryError(error, 'NAME_TAKEN')) {
          // Perhaps by ourselves, and not shown yet.
          if (mayBeOurs) return false;
          await this.accounts.save(tx, account, { nameAttempt: account.nameAttempt + 1, creatingSince: null });
          return true;
        }
        if (!mayBeOurs) await this.accounts.save(tx, account, { creatingSince: null });
        return false;
      }
      case 'ASSIGN_ROLE':
        if (isDirectoryError(error, 'ALREADY')) {
          // Asked for before, it is what we asked for; otherwise it is what was there.
          if (account.kind === 'OWN') await this.grants.save(tx, step.grant, { assignAskedAt: step.grant.assignAskedAt });
          return true;
        }
        await this.grants.save(tx, step.grant, { assignAskedAt: step.grant.assignAskedAt });
        if (!isDirectoryError(error, 'LICENCE_MISSING') || !step.grant.endsByItself) return false;
        await this.grants.save(tx, step.grant, { endsByItself: false });
        return true;
      case 'REMOVE_ROLE':
        if (!isDirectoryError(error, 'TOO_SOON')) return false;
        await this.accounts.save(tx, account, { removeNotBefore: addSeconds(now, error.retryAfterSeconds ?? removeAgainSeconds) });
        return true;
      case 'PURGE_USER':
        if (passes(error)) return false;
        // Entra itself deletes it after 30 days.
        await this.accounts.save(tx, account, { purgeRefusedAt: now, problem: error.message });
        return true;
      case 'RESET_PASSWORD':
        if (!isDirectoryError(error, 'FORBIDDEN')) return false;
        // A password that cannot be changed goes with its account.
        await this.accounts.save(tx, account, { passwordKnown: false, discard: true });
        return true;
      case 'CHANGE_END':
        if (passes(error)) return false;
        await this.grants.save(tx, step.grant, { assignmentKind: 'LEASE', notice: error.message.slice(0, 500) });
        return true;
      case 'ISSUE_CREDENTIAL':
        if (passes(error) || step.grant.phase !== 'ACTIVE') return false;
        // A renewal that fails ends no session.
        await this.grants.save(tx, step.grant, { credentialAt: now, enc: null, ciphertext: null, notice: error.message.slice(0, 500) });
        return true;
      default:
        return false;
    }
  }

  /** Who waits for a beginning hears why there is none; what was given goes back. True: there was somebody. */
  async #failGrants(tx: SystemTx, { step, grants }: Decided, message: string): Promise<boolean> {
    const beginning = (grant: EntraGrant | null) => grant?.phase === 'BEGINNING' && grant.failure === null;
    const failing = step.do === 'LOOK' ? grants.filter(beginning) : 'grant' in step && beginning(step.grant) ? [step.grant] : [];
    for (const grant of failing) if (grant !== null) await this.grants.save(tx, grant, { failure: message.slice(0, 500) });
    return failing.length > 0;
  }
}
