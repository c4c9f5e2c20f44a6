import { Inject, Injectable } from '@nestjs/common';
import { lapsSealing, sealTo, type KeyProvider } from '@stint/crypto';
import { addSeconds, newId, type Clock } from '@stint/kernel';
import { audit, emit } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import type { SystemTenancy } from '../account/convergence.service.ts';
import { DirectoryError, isDirectoryError, passes } from '../graph/directory-error.ts';
import type { EntraDirectory } from '../graph/directory.port.ts';
import { sameTenant } from '../graph/same-tenant.ts';
import type { DirectoryUser } from '../graph/users.port.ts';
import { UnguardedEntraAccess } from '../graph/unguarded-access.ts';
import { CLOCK, KEYS } from '../tokens.ts';
import {
  candidatePlace,
  checkSeconds,
  hasMoved,
  nextStep,
  offerAgainSeconds,
  patientFailures,
  pauseSeconds,
  tellAgainSeconds,
  type BreakGlassAccount,
  type Candidate,
} from './break-glass.domain.ts';
import { BreakGlassRepository, type Claim } from './break-glass.repository.ts';
import { newEntraPassword } from './entra-password.ts';
import { VaultNews } from './vault-news.service.ts';

interface Situation {
  tenancy: SystemTenancy;
  claim: Claim;
  account: BreakGlassAccount;
  candidate: Candidate | null;
}

const elsewhere = { is: 'The account is', whatToDo: 'take the account off the list of break-glass accounts' };

/** What a step leaves to be written: of the account, and when to look next. */
type After = Partial<BreakGlassAccount> & { dueAt: Date | null };

/**
 * Changes the passwords of break-glass accounts, a step at a time: whoever dies between two of them is followed by whoever takes the
 * account next. Calls of the key provider and of Microsoft are outside of every transaction.
 */
@Injectable()
export class RotationService {
  constructor(
    private readonly access: UnguardedEntraAccess,
    private readonly accounts: BreakGlassRepository,
    private readonly vault: VaultNews,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(KEYS) private readonly keys: KeyProvider,
  ) {}

  /** Does the next step of a claimed account, and lets it go. */
  async step(tenancy: SystemTenancy, claim: Claim): Promise<void> {
    const situation = await this.#read(tenancy, claim);
    if (situation === null) return;
    try {
      await this.#step(situation);
    } catch (error) {
      if (error instanceof DirectoryError) return this.#failed(situation, error);
      await this.#failed(
        situation,
        new DirectoryError({ kind: 'UNAVAILABLE', message: 'Stint itself is in trouble; its log says which.' }),
      );
      throw error;
    }
  }

  async #step(situation: Situation): Promise<void> {
    const { account, candidate } = situation;
    const step = nextStep(account, candidate, this.clock.now());
    if (step === null) return this.#finish(situation, () => Promise.resolve({ dueAt: null }));
    // No password is made that could not be set.
    const directory = sameTenant(await this.access.of(account.mspId, account.tenantId, 'LOW'), account.entraTenantId, elsewhere);
    if (step === 'MAKE') return this.#make(situation);
    if (step === 'CHECK') return this.#check(situation, directory);
    if (candidate === null) throw new Error(`${step} without a new password.`);
    if (step === 'OFFER') return this.#offer(situation, candidate);
    if (step === 'SET') return this.#set(situation, directory, candidate);
    return this.#look(situation, directory, candidate);
  }

  /** A new password, sealed to the vault and wrapped for us, is on disk before anybody hears of it. */
  async #make(situation: Situation): Promise<void> {
    const { mspId, tenantId, id: accountId, dueFence: fence, vaultKey, policy } = situation.account;
    if (fence === null || vaultKey === null || policy === null) throw new Error(`Nothing is to be changed about ${accountId}.`);
    const place = { mspId, tenantId, accountId, id: newId() };
    const password = Buffer.from(newEntraPassword(policy));
    const { info, aad } = lapsSealing.escrow;
    const sealed = await sealTo({ publicKey: vaultKey.publicKey, info, aad: aad(tenantId, accountId, place.id) }, password);
    const wrapped = await this.keys.wrap(password, candidatePlace(place));
    password.fill(0);
    const candidate: Candidate = {
      ...{ ...place, fence, state: 'OFFERED', vaultKeyId: vaultKey.id, ...sealed, wrapped },
      ...{ nextFence: null, calledAt: null, changedBefore: null },
    };
    await this.#finish(situation, async (tx, now) => {
      await this.accounts.addCandidate(tx, candidate);
      await emitOffer(tx, candidate);
      return { dueFence: null, dueAt: addSeconds(now, offerAgainSeconds) };
    });
  }

  async #offer(situation: Situation, candidate: Candidate): Promise<void> {
    await this.#finish(situation, async (tx, now) => {
      await emitOffer(tx, candidate);
      return { dueAt: addSeconds(now, offerAgainSeconds) };
    });
  }

  /** The vault has it. What Entra shows before the call is on disk before the call. */
  async #set(situation: Situation, directory: EntraDirectory, candidate: Candidate): Promise<void> {
    const { account, claim, tenancy } = situation;
    const { users } = directory;
    const { lastPasswordChangeAt: changedBefore, createdAt } = await this.#user(directory, account);
    const isOurs = await tenancy.asSystem(async (tx) => {
      const held = await this.accounts.held(tx, claim);
      if (held?.registered !== true) return false;
      await this.accounts.saveCandidate(tx, candidate, { state: 'TAKEN', calledAt: this.clock.now(), changedBefore });
      return true;
    });
    if (!isOurs) return;
    const password = await this.keys.unwrap(candidate.wrapped, candidatePlace(candidate)).then(String, () => null);
    // Wrapped under a root key that is gone: the vault has it, and another one is made.
    if (password === null) return this.#replace(situation, candidate, 'The new password could not be unwrapped. Another one is made.');
    try {
      await users.setPassword({ id: account.objectId, createdAt }, password);
    } catch (error) {
      if (!isDirectoryError(error, 'PASSWORD_REFUSED')) throw error;
      return this.#replace(situation, candidate, `Entra did not take a password that was made by this tenant's settings: ${error.message}`);
    }
    await this.#finish(situation, async (tx, now) => {
      await this.accounts.saveCandidate(tx, candidate, { state: 'SET' });
      return { failures: 0, dueAt: now };
    });
  }

  /** Another password is made. The vault shows this one until a newer one was read back: an earlier call may have set it. */
  async #replace(situation: Situation, candidate: Candidate, problem: string): Promise<void> {
    const { account } = situation;
    await this.#finish(situation, async (tx, now) => {
      await this.accounts.removeCandidate(tx, account.mspId, account.id);
      const failures = account.failures + 1;
      return { dueFence: candidate.nextFence, failures, problem, dueAt: addSeconds(now, pauseSeconds(failures, null)) };
    });
  }

  /** Entra has said yes. Proved is what it shows, too. */
  async #look(situation: Situation, directory: EntraDirectory, candidate: Candidate): Promise<void> {
    const { account } = situation;
    const user = await this.#user(directory, account);
    await this.#finish(situation, async (tx, now) => {
      if (!hasMoved(candidate.changedBefore, user.lastPasswordChangeAt)) {
        const failures = account.failures + 1;
        const problem =
          failures < patientFailures ? account.problem : 'Entra said yes to a new password, but does not show that it was changed.';
        return { failures, problem, dueAt: addSeconds(now, pauseSeconds(account.failures, null)) };
      }
      const { mspId, tenantId, accountId, id: versionId } = candidate;
      await this.accounts.removeCandidate(tx, mspId, accountId);
      await emit(tx, 'entra-rotation-confirmed', { mspId, tenantId, accountId, versionId });
      const seen = { versionId, passwordChangedAt: user.lastPasswordChangeAt, tampered: false, problem: problemOf(user) };
      // What was told while this one was under way is done with it, or is told again.
      return { ...seen, dueFence: null, failures: 0, dueAt: addSeconds(now, checkSeconds) };
    });
  }

  /** Nothing is to be done: is all as it was left? */
  async #check(situation: Situation, directory: EntraDirectory): Promise<void> {
    const { account } = situation;
    const user = await this.#user(directory, account);
    await this.#finish(situation, async (tx, now) => {
      const { userPrincipalName, displayName } = user;
      const record = { mspId: account.mspId, tenantId: account.tenantId, subjectId: account.id, occurredAt: now };
      const tampered =
        account.tampered || (account.passwordChangedAt !== null && hasMoved(account.passwordChangedAt, user.lastPasswordChangeAt));
      if (tampered && !account.tampered) {
        const details = { accountName: userPrincipalName, hostName: null, versionId: account.versionId };
        await audit(tx, { ...record, action: 'laps.tampered', details });
      }
      if (userPrincipalName !== account.userPrincipalName) {
        const details = { accountName: userPrincipalName, formerName: account.userPrincipalName };
        await audit(tx, { ...record, action: 'entra-break-glass.renamed', details });
      }
      const dueAt = addSeconds(now, checkSeconds);
      const { entraTenantId } = directory;
      return { entraTenantId, userPrincipalName, displayName, tampered, problem: problemOf(user), failures: 0, dueAt };
    });
  }

  /** Nobody knows what became of the call: nothing is concluded from it. What will not pass by itself is told at once. */
  async #failed(situation: Situation, error: DirectoryError): Promise<void> {
    const { account } = situation;
    await this.#finish(situation, async (_tx, now) => {
      const failures = account.failures + 1;
      const problem = !passes(error) || failures >= patientFailures ? error.message : account.problem;
      return { failures, problem, dueAt: addSeconds(now, pauseSeconds(failures, error.retryAfterSeconds)) };
    });
  }

  /** Writes what a step has brought if the account is still ours to work on, tells the vault what is new to it, and lets the account go. */
  async #finish({ tenancy, claim, account: before }: Situation, effect: (tx: SystemTx, now: Date) => Promise<After>): Promise<void> {
    await tenancy.asSystem(async (tx) => {
      const account = await this.accounts.held(tx, claim);
      if (account === null) return;
      const now = this.clock.now();
      if (!account.registered) return this.accounts.save(tx, account, { dueAt: null, leaseUntil: null });
      const after = await effect(tx, now);
      // Who wanted something else meanwhile has said when.
      const dueAt = account.changes === before.changes ? after.dueAt : account.dueAt;
      const dueFence =
        account.changes === before.changes ? (after.dueFence === undefined ? account.dueFence : after.dueFence) : account.dueFence;
      const patch = { ...after, dueAt, dueFence, leaseUntil: null };
      const next = { ...account, ...patch };
      const isNews =
        next.userPrincipalName !== account.userPrincipalName ||
        next.problem !== account.problem ||
        next.tampered !== account.tampered ||
        next.versionId !== account.versionId ||
        addSeconds(account.toldAt, tellAgainSeconds) <= now;
      if (isNews) await this.vault.saveAndTell(tx, account, patch, now);
      else await this.accounts.save(tx, account, patch);
    });
  }

  #read(tenancy: SystemTenancy, claim: Claim): Promise<Situation | null> {
    return tenancy.asSystem(async (tx) => {
      const account = await this.accounts.held(tx, claim);
      return account === null ? null : { tenancy, claim, account, candidate: await this.accounts.candidateOf(tx, claim.mspId, claim.id) };
    });
  }

  async #user({ users }: EntraDirectory, { objectId }: BreakGlassAccount): Promise<DirectoryUser> {
    const user = await users.byId({ id: objectId, createdAt: null });
    if (user !== null) return user;
    const message =
      'The account is not in Entra any more. Restore it there within 30 days, or take it off the list of break-glass accounts.';
    throw new DirectoryError({ kind: 'NOT_FOUND', message });
  }
}

/** What somebody should look at, although the password is right. */
function problemOf({ enabled }: DirectoryUser): string | null {
  return enabled ? null : 'The account is disabled in Entra: nobody can sign in with it. Enable it there.';
}

function emitOffer(
  tx: SystemTx,
  { mspId, tenantId, accountId, id: versionId, fence, vaultKeyId: keyId, enc, ciphertext }: Candidate,
): Promise<void> {
  return emit(tx, 'entra-rotation-escrowed', { mspId, tenantId, accountId, versionId, fence, keyId, enc, ciphertext });
}
