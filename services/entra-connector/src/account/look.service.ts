import { Injectable } from '@nestjs/common';
import { isDirectoryError } from '../graph/directory-error.ts';
import type { EntraDirectory } from '../graph/directory.port.ts';
import type { DirectoryUser } from '../graph/users.port.ts';
import type { EntraGrant } from '../grant/grant.domain.ts';
import { globalAdministratorId, refOf, type EntraAccount, type Sighting } from './account.domain.ts';

/** What a look showed, and what of it is to be kept of the account. */
export interface Looked {
  sighting: Sighting;
  account: Partial<EntraAccount>;
}

const nothing: Omit<Sighting, 'user' | 'inBin'> = { roles: [], passes: [], fresh: true, doubt: null, lastAdministrator: false };

/** Looks at an account in Entra, with as few requests as will do. */
@Injectable()
export class LookService {
  async look(
    directory: EntraDirectory,
    account: EntraAccount,
    grants: readonly EntraGrant[],
    email: string | null,
    now: Date,
  ): Promise<Looked> {
    const seenAt = now;
    if (refOf(account) === null || isToBeFoundAnew(account, grants)) {
      const user = account.kind === 'JIT' ? await this.#byMarker(directory, account) : await this.#byEmail(directory, email);
      // Whose own account it was is remembered: another one with the address is not theirs for that alone.
      if (user === null) return { sighting: { ...nothing, user, inBin: false }, account: { state: 'ABSENT', seenAt } };
      if (await this.#isDoubtful(directory, account, user, email))
        return { sighting: { ...nothing, user: null, inBin: false, doubt: addressMoved(account, user) }, account: { seenAt } };
      const adopted = { ...account, objectId: user.id, createdAt: user.createdAt };
      const { sighting } = await this.#at(directory, adopted, grants, user);
      return { sighting, account: { ...keptOf(adopted, user), seenAt } };
    }
    const looked = await this.#at(directory, account, grants, null);
    const { user, inBin } = looked.sighting;
    const doubt = account.kind === 'OWN' && user !== null && !hasAddress(user, email) ? addressLost : null;
    const sighting = { ...looked.sighting, doubt };
    if (user !== null) return { sighting, account: { ...keptOf(account, user), seenAt } };
    return { sighting, account: { state: inBin ? 'DELETED' : 'ABSENT', seenAt } };
  }

  /**
   * Whether the address may have been moved to another account to have it given a role: it is its e-mail alone, which more people may
   * write than may write the name that it signs in with, and the account that had the address at the last grant can still be used.
   */
  async #isDoubtful(directory: EntraDirectory, account: EntraAccount, user: DirectoryUser, email: string | null): Promise<boolean> {
    const former = account.kind === 'OWN' ? refOf(account) : null;
    if (former === null || former.id === user.id || isSame(user.userPrincipalName, email)) return false;
    return (await directory.users.byId(former)) !== null || (await directory.users.deletedById(former.id)) !== null;
  }

  /** A creation whose answer was lost has left an account with the mark. */
  async #byMarker(directory: EntraDirectory, { marker }: EntraAccount): Promise<DirectoryUser | null> {
    if (marker === null) return null;
    const found = await directory.users.byMarker(marker);
    return found.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime())[0] ?? null;
  }

  /** The one account that signs in with the technician's address, or else the one guest or member that has it as its e-mail. */
  async #byEmail(directory: EntraDirectory, email: string | null): Promise<DirectoryUser | null> {
    if (email === null) return null;
    const found = await directory.users.byEmail(email);
    const byName = found.find(({ userPrincipalName }) => isSame(userPrincipalName, email));
    return byName ?? (found.length === 1 ? (found[0] ?? null) : null);
  }

  async #at(
    directory: EntraDirectory,
    account: EntraAccount,
    grants: readonly EntraGrant[],
    found: DirectoryUser | null,
  ): Promise<{ sighting: Omit<Sighting, 'user'> & { user: DirectoryUser | null } }> {
    const ref = refOf(account);
    if (ref === null) return { sighting: { ...nothing, user: null, inBin: false } };
    // An account at rest has no pass: it was deleted at its end, or the account could not have been enabled.
    const withPasses = account.kind === 'JIT' && (grants.length > 0 || account.mayBeEnabled);
    const [user, roles, passes] = await Promise.all([
      found ?? directory.users.byId(ref),
      directory.roles.of(ref.id),
      withPasses ? directory.passes.of(ref).catch(noneWhereNoUser) : [],
    ]);
    if (user === null) {
      const inBin = (await directory.users.deletedById(ref.id)) !== null;
      // Somebody's own account may be restored, with the roles that still stand: ours must not come back with it.
      return { sighting: { ...nothing, user, inBin, roles: account.kind === 'OWN' ? roles : [] } };
    }
    const lastAdministrator = await this.#isLastAdministrator(directory, user.id, roles, grants);
    return { sighting: { ...nothing, user, inBin: false, roles, passes, lastAdministrator } };
  }

  /** Asked only when one of the grants was of that role, which then goes away at some time. */
  async #isLastAdministrator(
    directory: EntraDirectory,
    id: string,
    roles: Sighting['roles'],
    grants: readonly EntraGrant[],
  ): Promise<boolean> {
    const holds = roles.some(({ roleDefinitionId, scope }) => roleDefinitionId === globalAdministratorId && scope === '/');
    if (!holds || grants.every(({ phase }) => phase === 'BEGINNING' || phase === 'ACTIVE')) return false;
    const holders = await directory.roles.holdersOf(globalAdministratorId);
    return holders.every(({ principalId, scope }) => principalId === id || scope !== '/');
  }
}

/**
 * Whose account it is that a technician has there anyway, is asked anew before anything is given: its address may by now be another
 * account's, and the account somebody else's. From then on it is that one, whatever it is called.
 */
function isToBeFoundAnew({ kind }: EntraAccount, grants: readonly EntraGrant[]): boolean {
  return kind === 'OWN' && grants.every(({ assignAskedAt, assignmentKind }) => assignAskedAt === null && assignmentKind === null);
}

const addressLost =
  'Your account in this Entra tenant, in which you have another session, does not have your e-mail address any more. End that session, then ask again.';

/** Nobody is given anything before a person of the customer has said whose account it is. */
function addressMoved(former: EntraAccount, { userPrincipalName }: DirectoryUser): string {
  const was = former.userPrincipalName ?? former.objectId ?? '';
  return `Another account, ${userPrincipalName}, has your e-mail address now; the last time it was ${was}, which is still there. If the change is right, an administrator of this Entra tenant deletes ${was} for good, from the recycle bin too, or has you sign in with your address as user name; otherwise they take the address from ${userPrincipalName}.`;
}

function hasAddress({ userPrincipalName, email: mail }: DirectoryUser, email: string | null): boolean {
  return isSame(userPrincipalName, email) || isSame(mail, email);
}

function isSame(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && one.toLowerCase() === other.toLowerCase();
}

/** What is kept of a user that was seen. One that is enabled may have been so by a call of ours that came late. */
function keptOf(account: EntraAccount, user: NonNullable<Sighting['user']>): Partial<EntraAccount> {
  return {
    ...{ objectId: user.id, userPrincipalName: user.userPrincipalName, creatingSince: null },
    ...{ createdAt: account.createdAt ?? user.createdAt, state: user.enabled ? 'ENABLED' : 'DISABLED' },
  };
}

function noneWhereNoUser(error: unknown): [] {
  if (isDirectoryError(error, 'NOT_FOUND')) return [];
  throw error;
}
