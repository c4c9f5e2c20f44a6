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

const nothing: Omit<Sighting, 'user' | 'inBin'> = { roles: [], passes: [], fresh: true, lastAdministrator: false };

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
      const unknown = { objectId: null, createdAt: null, state: 'ABSENT' as const, seenAt };
      if (user === null) return { sighting: { ...nothing, user, inBin: false }, account: unknown };
      const adopted = { ...account, objectId: user.id, createdAt: user.createdAt };
      const { sighting } = await this.#at(directory, adopted, grants, user);
      return { sighting, account: { ...keptOf(adopted, user), seenAt } };
    }
    const looked = await this.#at(directory, account, grants, null);
    const { user, inBin } = looked.sighting;
    if (user !== null) return { ...looked, account: { ...keptOf(account, user), seenAt } };
    return { ...looked, account: { state: inBin ? 'DELETED' : 'ABSENT', seenAt } };
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
    const byName = found.find(({ userPrincipalName }) => userPrincipalName.toLowerCase() === email.toLowerCase());
    return byName ?? (found.length === 1 ? (found[0] ?? null) : null);
  }

  async #at(directory: EntraDirectory, account: EntraAccount, grants: readonly EntraGrant[], found: DirectoryUser | null): Promise<Looked> {
    const ref = refOf(account);
    if (ref === null) return { sighting: { ...nothing, user: null, inBin: false }, account: {} };
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
      return { sighting: { ...nothing, user, inBin, roles: account.kind === 'OWN' ? roles : [] }, account: {} };
    }
    const lastAdministrator = await this.#isLastAdministrator(directory, user.id, roles, grants);
    return { sighting: { user, inBin: false, roles, passes, fresh: true, lastAdministrator }, account: {} };
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
