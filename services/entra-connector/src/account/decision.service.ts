import { Inject, Injectable } from '@nestjs/common';
import { addSeconds, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import type { TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { isLive, outcomeOf, type EntraGrant } from '../grant/grant.domain.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { auditGrant, reportGrant } from '../grant/grant-report.ts';
import { CLOCK } from '../tokens.ts';
import type { EntraAccount, Sighting } from './account.domain.ts';
import { AccountRepository, type Claim } from './account.repository.ts';
import { nextDeadline, nextStep } from './next-step.domain.ts';
import { pauseSeconds } from './pause.domain.ts';
import { earliest, type Change, type Situation, type Step } from './step.domain.ts';
import { StepRepository } from './step.repository.ts';

/** After so long without a sign of life somebody else takes an account over. Longer than any call takes. */
export const leaseSeconds = 120;

/** What is to be asked of Entra next, with everything that it takes. */
export interface Decided {
  step: { do: 'LOOK' } | { do: 'CHECK'; grant: EntraGrant } | Change;
  account: EntraAccount;
  grants: readonly EntraGrant[];
  technician: TechnicianCopy | null;
  sighting: Sighting | null;
  /** The stored intent of a change. */
  stepId: Id | null;
}

type Context = Situation & { technician: TechnicianCopy | null };
type Conclusion = Exclude<Step, Decided['step']>;

/**
 * Decides what is next, on the newest rows, and stores it before it is done: one transaction, with no call in it. What follows from
 * what was seen already is concluded here.
 */
@Injectable()
export class DecisionService {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly grants: GrantRepository,
    private readonly copies: DirectoryRepository,
    private readonly steps: StepRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Null: there is nothing to ask for now, or somebody else has the account. `done`: what was asked for since it was claimed. */
  async decide(tx: SystemTx, claim: Claim, sighting: Sighting | null, done: Set<string>): Promise<Decided | null> {
    let seen = sighting;
    for (;;) {
      const context = await this.#context(tx, claim);
      if (context === null) return null;
      const step = nextStep(context, seen);
      if (isConclusion(step)) {
        const goesOn = await this.#conclude(tx, context, step);
        if (!goesOn) return null;
        // What was forgotten is to be looked for anew.
        if (step.do === 'FORGET') seen = null;
        continue;
      }
      const key = keyOf(step, context.account);
      if (done.has(key)) {
        // It was done, and Entra does not show it: later.
        await this.pause(tx, context.account, context.grants, 'Entra does not show yet what was changed.', null);
        return null;
      }
      done.add(key);
      const now = context.now;
      await this.accounts.save(tx, context.account, { leaseUntil: addSeconds(now, leaseSeconds), ...intentOf(step, context.account, now) });
      if (step.do === 'ASSIGN_ROLE') await this.grants.save(tx, step.grant, { assignAskedAt: now });
      const { account, grants, technician } = context;
      if (step.do === 'LOOK' || step.do === 'CHECK') return { step, account, grants, technician, sighting: seen, stepId: null };
      done.delete('LOOK');
      const grantId = 'grant' in step ? (step.grant?.id ?? null) : null;
      return { step, account, grants, technician, sighting: seen, stepId: await this.steps.begin(tx, account, step.do, grantId, now) };
    }
  }

  /** Leaves the account until later: longer with each failure, and no longer than until a grant ends. */
  async pause(
    tx: SystemTx,
    account: EntraAccount,
    grants: readonly EntraGrant[],
    problem: string | null,
    retryAfterSeconds: number | null,
  ): Promise<void> {
    const now = this.clock.now();
    const ending = grants.some(({ phase }) => phase === 'ENDING');
    const seconds = pauseSeconds(account.failures, ending || grants.length === 0, retryAfterSeconds, Math.random());
    await this.#leave(tx, account, grants, { dueAt: addSeconds(now, seconds), failures: account.failures + 1, problem });
  }

  /** Lets somebody else go on at once. */
  async release(tx: SystemTx, claim: Claim): Promise<void> {
    const account = await this.accounts.held(tx, claim);
    if (account !== null) await this.accounts.save(tx, account, { leaseUntil: null, dueAt: this.clock.now() });
  }

  async #context(tx: SystemTx, claim: Claim): Promise<Context | null> {
    const account = await this.accounts.held(tx, claim);
    if (account === null) return null;
    const now = this.clock.now();
    const grants = await this.grants.openOf(tx, account.mspId, account.id);
    const technician = account.technicianId === null ? null : await this.copies.technician(tx, account.mspId, account.technicianId);
    const technicianActive = technician?.active ?? true;
    for (const grant of grants) {
      if (grant.phase === 'ENDING' || isLive(grant, technicianActive, now)) continue;
      Object.assign(grant, { phase: 'ENDING', endingSince: grant.endingSince ?? now });
      await this.grants.save(tx, grant, { phase: grant.phase, endingSince: grant.endingSince });
    }
    const protectedBy = account.objectId === null ? null : await this.accounts.protectedBy(tx, account);
    return { account, grants, technician, technicianActive, protectedBy, now };
  }

  /** False: nothing more to do now. */
  async #conclude(tx: SystemTx, context: Context, step: Conclusion): Promise<boolean> {
    const { account, grants } = context;
    switch (step.do) {
      case 'NOTE_ROLE': {
        const { id: assignmentId, endsAt: builtInEndsAt } = step.assignment;
        await this.grants.save(tx, step.grant, { assignmentKind: step.kind, assignmentId, builtInEndsAt });
        return true;
      }
      case 'ACTIVATE':
        await this.#activate(tx, context, step.grant);
        return true;
      case 'CONCLUDE':
        await this.#end(tx, context, step.grant);
        return true;
      case 'FAIL':
        await this.grants.save(tx, step.grant, { failure: step.why.slice(0, 500) });
        return true;
      case 'FORGET':
        return this.#forget(tx, context);
      case 'AWAIT':
        await this.pause(tx, account, grants, step.why, null);
        return false;
      case 'REST':
        if (step.problem === null) await this.#leave(tx, account, grants, { dueAt: step.until, failures: 0, problem: null });
        else if (step.until === null) await this.pause(tx, account, grants, step.problem, null);
        else await this.#leave(tx, account, grants, { dueAt: step.until, problem: step.problem });
        return false;
    }
  }

  async #activate(tx: SystemTx, { account, now }: Context, grant: EntraGrant): Promise<void> {
    const { userPrincipalName: accountName } = account;
    const why = grant.assignmentKind === 'ALREADY' ? 'The account has this role anyway; it stays when the session ends.' : grant.notice;
    const reportVersion = await reportGrant(tx, grant, { state: 'ACTIVE', at: now, accountName, why });
    await this.grants.save(tx, grant, { phase: 'ACTIVE', activeAt: now, notice: why, reportVersion });
    await this.accounts.save(tx, account, { failures: 0, problem: null });
    const details = { assignment: grant.assignmentKind, builtInEndsAt: grant.builtInEndsAt?.toISOString() ?? null };
    await auditGrant(tx, grant, 'entra-access.given', now, accountName, details);
  }

  async #end(tx: SystemTx, { account, grants, technicianActive, now }: Context, grant: EntraGrant): Promise<void> {
    const { state, why } = outcomeOf(grant, technicianActive);
    const { userPrincipalName: accountName } = account;
    const reportVersion = await reportGrant(tx, grant, { state, at: now, accountName, why });
    // A sealed credential is of no use any more.
    await this.grants.save(tx, grant, { phase: state, endedAt: now, enc: null, ciphertext: null, reportVersion });
    await auditGrant(tx, grant, state === 'ENDED' ? 'entra-access.removed' : 'entra-access.failed', now, accountName, { why });
    const rests = grants.length === 1 ? { restsSince: now } : {};
    await this.accounts.save(tx, account, { failures: 0, problem: null, ...rests });
  }

  async #forget(tx: SystemTx, { account, grants, now }: Context): Promise<boolean> {
    const { mspId, tenantId, id: subjectId, objectId, userPrincipalName: accountName } = account;
    const record = { mspId, tenantId, subjectId, occurredAt: now };
    // One that was left in a former Entra tenant is nobody's either, but its grants' access stays to be shown.
    if (account.technicianId === null && account.leftIn === null) {
      await audit(tx, { ...record, action: 'entra-access.stray-removed', details: { accountName, objectId } });
      await this.accounts.remove(tx, account);
      return false;
    }
    if (account.mayBeEnabled) await audit(tx, { ...record, action: 'entra-account.drifted', details: { accountName, what: 'deleted' } });
    const gone = { objectId: null, createdAt: null, creatingSince: null, rolesChangedAt: null, nameAttempt: 0, purgeRefusedAt: null };
    const harmless = {
      mayBeEnabled: false,
      switchedAt: null,
      sessionsOpen: false,
      passwordKnown: false,
      discard: account.discard && grants.length > 0,
    };
    await this.accounts.save(tx, account, { ...gone, ...harmless, state: 'ABSENT' });
    return true;
  }

  async #leave(tx: SystemTx, account: EntraAccount, grants: readonly EntraGrant[], patch: Partial<EntraAccount>): Promise<void> {
    const deadline = nextDeadline(grants, true, this.clock.now());
    const ending = grants.some(({ phase }) => phase !== 'BEGINNING');
    await this.accounts.save(tx, account, { ...patch, ending, leaseUntil: null, dueAt: earliest(patch.dueAt ?? null, deadline) });
  }
}

function isConclusion(step: Step): step is Conclusion {
  return ['NOTE_ROLE', 'ACTIVATE', 'CONCLUDE', 'FAIL', 'FORGET', 'AWAIT', 'REST'].includes(step.do);
}

/** What may be so from the moment on that the call leaves. */
function intentOf(step: Decided['step'], account: EntraAccount, now: Date): Partial<EntraAccount> {
  switch (step.do) {
    case 'CREATE_USER':
      return { creatingSince: account.creatingSince ?? now };
    case 'ENABLE':
      return { mayBeEnabled: true, switchedAt: null, sessionsOpen: true, passwordKnown: true, restsSince: null };
    case 'DISABLE':
      return { switchedAt: null };
    case 'REMOVE_ROLE':
      return { rolesChangedAt: now };
    default:
      return {};
  }
}

/** What must not be done twice without a pause. */
function keyOf(step: Decided['step'], account: EntraAccount): string {
  switch (step.do) {
    case 'LOOK':
      return 'LOOK';
    case 'CREATE_USER':
      return `CREATE_USER ${account.nameAttempt}`;
    case 'ASSIGN_ROLE':
      return `ASSIGN_ROLE ${step.grant.id} ${String(step.grant.endsByItself)}`;
    case 'ISSUE_CREDENTIAL':
      return `ISSUE_CREDENTIAL ${step.grant.id} ${step.grant.recipientKey}`;
    case 'CHECK':
    case 'CHANGE_END':
      return `${step.do} ${step.grant.id}`;
    case 'REMOVE_ROLE':
      return `REMOVE_ROLE ${step.assignment.id}`;
    case 'DELETE_PASS':
      return `DELETE_PASS ${step.passId}`;
    default:
      return step.do;
  }
}
