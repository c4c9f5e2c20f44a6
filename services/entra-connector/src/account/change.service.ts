import { Inject, Injectable } from '@nestjs/common';
import { entraSealing, generatePassword, sealTo, type Sealed } from '@stint/crypto';
import { addSeconds, type Clock } from '@stint/kernel';
import type { TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryError, isDirectoryError } from '../graph/directory-error.ts';
import type { EntraDirectory } from '../graph/directory.port.ts';
import type { RoleReason } from '../graph/roles.port.ts';
import type { UserRef } from '../graph/users.port.ts';
import { builtInSeconds, endOf, whyGiven, type EntraGrant } from '../grant/grant.domain.ts';
import { CLOCK } from '../tokens.ts';
import { AccountFactsCache } from './account-facts.ts';
import { accountDomain, accountName } from './account-name.domain.ts';
import { refOf, type EntraAccount, type Sighting } from './account.domain.ts';
import type { Change } from './step.domain.ts';

/** What a change has brought. */
export interface Changed {
  account?: Partial<EntraAccount>;
  /** Of the step's grant. */
  grant?: Partial<EntraGrant>;
  sighting: Sighting;
  /** Ids, for the record of the step. */
  detail?: string;
}

/** For whom a change is made. */
export interface Subject {
  account: EntraAccount;
  technician: TechnicianCopy | null;
}

/** Of a role for which there is no grant. */
const nobodyAsked: RoleReason = { justification: 'Stint: no grant is for this role', ticket: null };
const passwordLength = 32;
const passwordTries = 5;

/** Makes one change in Entra. Nothing secret leaves this file but sealed to its reader. */
@Injectable()
export class ChangeService {
  constructor(
    private readonly facts: AccountFactsCache,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async make(directory: EntraDirectory, subject: Subject, step: Change, seen: Sighting): Promise<Changed> {
    const { account } = subject;
    const sighting: Sighting = { ...seen, fresh: false };
    if (step.do === 'CREATE_USER') return this.#create(directory, subject, sighting);
    const ref = refOf(account);
    if (ref === null) throw new Error(`${step.do} without an account.`);
    switch (step.do) {
      case 'ENABLE':
        await directory.users.setEnabled(ref, true);
        return { account: { state: 'ENABLED', switchedAt: this.clock.now() }, sighting: withEnabled(sighting, true) };
      case 'DISABLE':
        await directory.users.setEnabled(ref, false);
        return {
          account: { mayBeEnabled: false, state: 'DISABLED', switchedAt: this.clock.now() },
          sighting: withEnabled(sighting, false),
        };
      case 'ISSUE_CREDENTIAL':
        return step.grant.credentialKind === 'PASSWORD'
          ? this.#newPassword(directory, ref, account, step.grant, sighting)
          : this.#newPass(directory, ref, account, step.grant, sighting);
      case 'ASSIGN_ROLE':
        await directory.roles.assign({
          ...{ principal: ref, roleDefinitionId: step.grant.roleDefinitionId ?? '', scope: step.grant.scope },
          ...{ endsAfterSeconds: builtInSeconds(step.grant), ...whyGiven(step.grant) },
        });
        return { sighting };
      case 'CHANGE_END': {
        await directory.roles.changeEnd(step.assignment, step.endsAt, whyGiven(step.grant));
        const roles = sighting.roles.map((role) => (role === step.assignment ? { ...role, endsAt: step.endsAt } : role));
        return { grant: { builtInEndsAt: step.endsAt }, sighting: { ...sighting, roles }, detail: step.endsAt.toISOString() };
      }
      case 'REMOVE_ROLE': {
        await directory.roles.remove(step.assignment, step.grant === null ? nobodyAsked : whyGiven(step.grant));
        const roles = sighting.roles.filter((role) => role !== step.assignment);
        return { grant: { assignmentId: null }, sighting: { ...sighting, roles }, detail: step.assignment.id };
      }
      case 'DELETE_PASS':
        await directory.passes.delete(ref, step.passId);
        return { sighting: { ...sighting, passes: sighting.passes.filter(({ id }) => id !== step.passId) }, detail: step.passId };
      case 'REVOKE_SESSIONS':
        await directory.users.revokeSessions(ref);
        return { account: { sessionsOpen: false }, sighting };
      case 'RESET_PASSWORD':
        await withPassword((password) => directory.users.setPassword(ref, password));
        return { account: { passwordKnown: false }, sighting };
      case 'DELETE_USER':
        await directory.users.delete(ref);
        return { account: { state: 'DELETED' }, sighting: { ...sighting, user: null, inBin: true, roles: [], passes: [] }, detail: ref.id };
      case 'PURGE_USER':
        await directory.users.purge(ref.id);
        return { sighting: { ...sighting, inBin: false }, detail: ref.id };
    }
  }

  async #create(directory: EntraDirectory, { account, technician }: Subject, sighting: Sighting): Promise<Changed> {
    if (technician === null) throw new DirectoryError({ kind: 'NOT_YET', message: 'Stint has not heard of this technician yet.' });
    const domain = accountDomain((await this.facts.of(account.tenantId, directory)).domains);
    const name = accountName(account.prefix, technician.email, account.id, account.nameAttempt);
    if (domain === null || name === null) {
      const message =
        domain === null
          ? 'Every domain of this Entra tenant is federated. Stint needs one that Entra manages itself, such as the onmicrosoft.com domain.'
          : 'All names that Stint would take for this account are taken in this Entra tenant.';
      throw new DirectoryError({ kind: 'INVALID', message });
    }
    const user = await withPassword((password) =>
      directory.users.create({
        ...{ userPrincipalName: `${name}@${domain}`, mailNickname: name, displayName: `${technician.displayName} (Stint)` },
        ...{ marker: account.marker ?? '', password, enabled: false },
      }),
    );
    const { id: objectId, userPrincipalName, createdAt } = user;
    return {
      account: { objectId, userPrincipalName, createdAt, creatingSince: null, state: 'DISABLED', purgeRefusedAt: null },
      ...{ sighting: { ...sighting, user, inBin: false }, detail: objectId },
    };
  }

  async #newPass(directory: EntraDirectory, ref: UserRef, account: EntraAccount, grant: EntraGrant, sighting: Sighting): Promise<Changed> {
    const lifetimeMinutes = grant.passMinutes ?? Math.ceil(grant.sessionSeconds / 60);
    const pass = await directory.passes.issue({ user: ref, lifetimeMinutes, usableOnce: grant.passOnce, startsAt: null });
    const now = this.clock.now();
    const ends = addSeconds(pass.startsAt ?? now, pass.lifetimeMinutes * 60);
    const sealed = await seal(account, grant, pass.value);
    return {
      grant: { ...sealed, passId: pass.id, credentialAt: now, credentialEndsAt: ends, collectedAt: null },
      sighting: { ...sighting, passes: [{ id: pass.id, usable: pass.usable, usability: pass.usability }] },
      detail: pass.id,
    };
  }

  async #newPassword(
    directory: EntraDirectory,
    ref: UserRef,
    account: EntraAccount,
    grant: EntraGrant,
    sighting: Sighting,
  ): Promise<Changed> {
    let told = '';
    await withPassword(async (password) => {
      await directory.users.setPassword(ref, password);
      told = password;
    });
    const sealed = await seal(account, grant, told);
    return {
      grant: { ...sealed, passId: null, credentialAt: this.clock.now(), credentialEndsAt: endOf(grant), collectedAt: null },
      sighting,
    };
  }
}

/** A new random password for `use`, and another one when the tenant's rules refuse it. */
async function withPassword<Result>(use: (password: string) => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await use(generatePassword(passwordLength));
    } catch (error) {
      if (tries === passwordTries || !isDirectoryError(error, 'PASSWORD_REFUSED')) throw error;
    }
  }
}

async function seal(account: EntraAccount, { id, recipientKey }: EntraGrant, value: string): Promise<Sealed> {
  const { info, aad } = entraSealing.credential;
  const bytes = Buffer.from(value);
  try {
    return await sealTo({ publicKey: recipientKey, info, aad: aad(account.tenantId, id, account.id) }, bytes);
  } catch {
    throw new DirectoryError({
      kind: 'INVALID',
      message: 'The key to which the credential was to be sealed is none. Ask again with a new one.',
    });
  } finally {
    bytes.fill(0);
  }
}

function withEnabled(sighting: Sighting, enabled: boolean): Sighting {
  return sighting.user === null ? sighting : { ...sighting, user: { ...sighting.user, enabled } };
}
