import { randomUUID } from 'node:crypto';
import type { RoleAssignmentState, RoleRequestState, TenantState, UserState } from '../state/state.ts';
import { hash, iso, touch, type Store } from '../state/store.ts';
import { addMember, presentGroup, removeMember } from '../groups/group-routes.ts';
import { usability } from '../passes/pass-routes.ts';
import { activeAssignments } from '../roles/role-holding.ts';
import { rolesOfTenant } from '../roles/role-routes.ts';
import { roleId, type BuiltInRole } from '../roles/role-templates.ts';
import { purge } from '../users/deleted-user-routes.ts';
import { presentUser } from '../users/present-user.ts';
import { makeUser } from '../users/user-routes.ts';
import { makeApp, type AppCertificate, type AppRegistration } from './entra-app.ts';
import { signIn, type SignIn, type SignInResult } from './sign-in.ts';

/** What a test may set of a tenant at any time. */
export type TenantSettings = Partial<
  Pick<TenantState, 'displayName' | 'domains' | 'licences' | 'bannedPasswords' | 'mfaAtPortals' | 'declinesConsent'> & {
    tapPolicy: Partial<TenantState['tapPolicy']>;
    pimPolicy: Partial<TenantState['pimPolicy']>;
  }
>;

/** A user as tests look at it: as it is, not as reads see it yet. */
export type EntraUser = Omit<UserState, 'passwordHash' | 'changed'>;

/** Properties of a user that are not as usual. */
export type UserGiven = Partial<Omit<EntraUser, 'deletedDateTime'>> & { password?: string };

/** An Entra tenant of the emulator: makes what a test needs, and shows what is there. */
export class EntraTenant {
  readonly id: string;
  readonly #store: Store;
  readonly #tenant: TenantState;

  constructor(store: Store, tenant: TenantState) {
    this.id = tenant.id;
    this.#store = store;
    this.#tenant = tenant;
  }

  /** The domain that new accounts can always be made in. */
  get initialDomain(): string {
    return this.#tenant.domains.find(({ isInitial }) => isInitial)?.name ?? '';
  }

  /** Changes settings of the tenant; policies are merged. */
  configure({ tapPolicy, pimPolicy, ...rest }: TenantSettings): void {
    Object.assign(this.#tenant, rest);
    Object.assign(this.#tenant.tapPolicy, tapPolicy);
    Object.assign(this.#tenant.pimPolicy, pimPolicy);
    this.#store.save();
  }

  addUser(given: UserGiven = {}): EntraUser {
    const id = given.id ?? randomUUID();
    const userPrincipalName = given.userPrincipalName ?? `user-${id.slice(0, 8)}@${this.initialDomain}`;
    const { password = `Initial-${randomUUID()}`, ...rest } = given;
    const user = makeUser({ id, at: this.#store.nowIso(), userPrincipalName, displayName: userPrincipalName, password });
    Object.assign(user, rest);
    this.#tenant.users.push(user);
    this.#changed(user, Object.keys(presentUser(user)));
    return shown(user);
  }

  /** Changes a user behind everybody's back, as an administrator in the portal would. */
  changeUser(userId: string, changes: UserGiven): void {
    const user = this.#user(userId);
    const { password, ...rest } = changes;
    Object.assign(user, rest, password === undefined ? {} : { passwordHash: hash(password) });
    this.#changed(user, Object.keys(rest));
  }

  /** Moves a user to the recycle bin. */
  deleteUser(userId: string): void {
    const user = this.#user(userId);
    user.deletedDateTime = this.#store.nowIso();
    this.#changed(user, ['deletedDateTime']);
  }

  /** Deletes a user for good, from the recycle bin. */
  purgeUser(userId: string): void {
    purge(this.#tenant, this.#user(userId));
  }

  /** Brings a user back from the recycle bin. */
  restoreUser(userId: string): void {
    const user = this.#user(userId);
    user.deletedDateTime = null;
    this.#changed(user, Object.keys(presentUser(user)));
  }

  addGroup(given: { displayName: string; members?: readonly string[]; isAssignableToRole?: boolean }): { id: string; displayName: string } {
    const group = {
      id: randomUUID(),
      displayName: given.displayName,
      description: null,
      mailNickname: given.displayName.replace(/\W/g, ''),
      isAssignableToRole: given.isAssignableToRole ?? false,
      createdDateTime: this.#store.nowIso(),
      members: [],
      changed: {},
    };
    this.#tenant.groups.push(group);
    this.#changed(group, Object.keys(presentGroup(group)));
    for (const id of given.members ?? []) this.addMember(group.id, id);
    return { id: group.id, displayName: group.displayName };
  }

  /** Puts a user or a group into a group. */
  addMember(groupId: string, memberId: string): void {
    addMember(this.#tenant, this.#group(groupId), memberId);
    this.#store.save();
  }

  removeMember(groupId: string, memberId: string): void {
    removeMember(this.#tenant, this.#group(groupId), memberId);
    this.#store.save();
  }

  /** Ids of those who are in the group itself. */
  members(groupId: string): string[] {
    return this.#group(groupId)
      .members.filter(({ removedIn }) => removedIn === null)
      .map(({ id }) => id);
  }

  deleteGroup(groupId: string): void {
    this.#tenant.groups.splice(this.#tenant.groups.indexOf(this.#group(groupId)), 1);
    this.#tenant.step += 1;
    this.#tenant.purged.push({ id: groupId, kind: 'groups', step: this.#tenant.step });
    this.#store.save();
  }

  addAdministrativeUnit(displayName: string): { id: string } {
    const unit = { id: randomUUID(), displayName };
    this.#tenant.administrativeUnits.push(unit);
    this.#store.save();
    return unit;
  }

  addCustomRole(displayName: string, given: { isEnabled?: boolean } = {}): { id: string } {
    const role = {
      id: randomUUID(),
      displayName,
      description: displayName,
      isEnabled: given.isEnabled ?? true,
      allowedResourceActions: ['microsoft.directory/applications/basic/update'],
    };
    this.#tenant.customRoles.push(role);
    this.#store.save();
    return role;
  }

  /** Assigns a role, built-in by name or any by id. */
  assignRole(principalId: string, role: BuiltInRole | { id: string }, more: { directoryScopeId?: string; endsAt?: Date } = {}): string {
    const now = this.#store.nowIso();
    const assignment: RoleAssignmentState = {
      ...{ id: randomUUID(), principalId, roleDefinitionId: typeof role === 'string' ? roleId(role) : role.id },
      ...{ directoryScopeId: more.directoryScopeId ?? '/', createdAt: now, startsAt: now },
      ...{ endsAt: more.endsAt === undefined ? null : iso(more.endsAt), scheduleId: null },
    };
    this.#tenant.roleAssignments.push(assignment);
    this.#store.save();
    return assignment.id;
  }

  /** Registers an app; with a client id that is known already, its registration is replaced. */
  registerApp(given: AppRegistration = {}): { clientId: string; applicationId: string; servicePrincipalId: string } {
    const app = makeApp(this.#store, given);
    this.#tenant.apps = [...this.#tenant.apps.filter(({ clientId }) => clientId !== app.clientId), app];
    for (const role of given.directoryRoles ?? []) this.assignRole(app.servicePrincipalId, role);
    this.#store.save();
    return { clientId: app.clientId, applicationId: app.applicationId, servicePrincipalId: app.servicePrincipalId };
  }

  /** Changes what the tenant lets an app do: consent (`granted` null: withdrawn), disabled, blocked by Conditional Access. */
  changeApp(clientId: string, changes: { granted?: string[] | null; enabled?: boolean; blockedByConditionalAccess?: boolean }): void {
    Object.assign(this.#app(clientId), changes);
    this.#store.save();
  }

  /** Adds a secret or certificate to an app. */
  addCredential(clientId: string, given: { secret: { value: string; endsAt?: Date } } | { certificate: AppCertificate }): void {
    const made = makeApp(this.#store, 'secret' in given ? { secrets: [given.secret] } : { certificates: [given.certificate] });
    const app = this.#app(clientId);
    app.secrets.push(...made.secrets);
    app.certificates.push(...made.certificates);
    this.#store.save();
  }

  users(): EntraUser[] {
    return this.#tenant.users.filter(({ deletedDateTime }) => deletedDateTime === null).map(shown);
  }

  /** A user by id or user principal name; also from the recycle bin by id. */
  user(key: string): EntraUser | undefined {
    const user = this.#tenant.users.find(
      (one) => one.id === key || (one.deletedDateTime === null && one.userPrincipalName.toLowerCase() === key.toLowerCase()),
    );
    return user === undefined ? undefined : shown(user);
  }

  deletedUsers(): EntraUser[] {
    return this.#tenant.users.filter(({ deletedDateTime }) => deletedDateTime !== null).map(shown);
  }

  /** Assignments that hold now, of one principal or all, with the role's name. */
  roleAssignments(principalId?: string): (RoleAssignmentState & { roleName: string })[] {
    return activeAssignments(this.#store, this.#tenant)
      .filter((one) => principalId === undefined || one.principalId === principalId)
      .map((one) => ({ ...one, roleName: rolesOfTenant(this.#tenant).find(({ id }) => id === one.roleDefinitionId)?.displayName ?? '' }));
  }

  /** What Privileged Identity Management was asked for a principal, as its administrators see it, oldest first. */
  roleRequests(principalId: string): RoleRequestState[] {
    return this.#tenant.roleRequests.filter((one) => one.principalId === principalId);
  }

  /** Passes of a user that are kept, and whether they would open. */
  passes(userId: string): { id: string; usable: boolean }[] {
    return this.#tenant.passes
      .filter((pass) => pass.userId === userId)
      .map((pass) => ({ id: pass.id, usable: usability(this.#store, this.#tenant, pass) === 'EnabledByPolicy' }));
  }

  /** Makes every delta token that was given out so far one that Graph no longer knows. */
  expireDeltaTokens(): void {
    this.#tenant.step += 1;
    this.#tenant.oldestDeltaStep = this.#tenant.step;
    this.#store.save();
  }

  /** Signs a person in at a portal of Microsoft. */
  signIn(given: SignIn): SignInResult {
    return signIn(this.#store, this.#tenant, given);
  }

  #changed(thing: { changed: Record<string, number> }, properties: readonly string[]): void {
    touch(this.#tenant, thing, properties);
    this.#store.save();
  }

  #user(id: string): UserState {
    return found(this.#tenant.users, (one) => one.id === id, id);
  }

  #group(id: string) {
    return found(this.#tenant.groups, (one) => one.id === id, id);
  }

  #app(clientId: string) {
    return found(this.#tenant.apps, (one) => one.clientId === clientId, clientId);
  }
}

function found<Thing>(things: readonly Thing[], test: (thing: Thing) => boolean, id: string): Thing {
  const thing = things.find(test);
  if (thing === undefined) throw new Error(`The tenant has no ${id}.`);
  return thing;
}

function shown({ passwordHash: _, changed: __, ...user }: UserState): EntraUser {
  return structuredClone(user);
}
