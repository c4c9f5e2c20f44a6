import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { roleId } from '@stint/graph-emulator';
import { addSeconds } from '@stint/kernel';
import { aNewUser, GraphWorld } from '../testing/graph-world.ts';

let world: GraphWorld;
beforeEach(async () => {
  world = await GraphWorld.start();
});
afterEach(() => world.close());

const helpdesk = roleId('Helpdesk Administrator');
/** A user that was made now. */
const nowRef = (id: string) => ({ id, createdAt: world.clock.now() });

test('an account lives and dies: made, enabled, given a password, signed out, deleted, restored, deleted for good', async () => {
  const { entra, directory } = world.connected();
  const made = await directory.users.create(aNewUser(entra, { marker: 'stint-7' }));
  expect(await directory.users.byId(made)).toMatchObject({ enabled: false, marker: 'stint-7', userType: 'MEMBER', onPremisesSync: false });
  expect((await directory.users.byName(made.userPrincipalName))?.id).toBe(made.id);
  expect((await directory.users.byMarker('stint-7')).map(({ id }) => id)).toEqual([made.id]);
  expect((await directory.users.byMarkerPrefix('stint-')).map(({ id }) => id)).toEqual([made.id]);
  world.clock.advance(10);
  await directory.users.setEnabled(made, true);
  await directory.users.setPassword(made, 'Another-Horse-77');
  await directory.users.revokeSessions(made);
  const changed = await directory.users.byId(made);
  expect(changed).toMatchObject({ enabled: true, lastPasswordChangeAt: world.clock.now(), sessionsValidFrom: world.clock.now() });
  await directory.users.delete(made);
  await directory.users.delete({ ...made, createdAt: null });
  expect(await directory.users.byId({ ...made, createdAt: null })).toBeNull();
  expect((await directory.users.deletedByMarkerPrefix('stint-')).map(({ id }) => id)).toEqual([made.id]);
  expect(await directory.users.restore(made.id)).toMatchObject({ id: made.id, marker: 'stint-7' });
  await directory.users.delete(made);
  await directory.users.purge(made.id);
  await directory.users.purge(made.id);
  expect(entra.deletedUsers()).toEqual([]);
});

test('names that are taken and passwords that are refused are told as such', async () => {
  const { entra, directory } = world.connected();
  const user = aNewUser(entra);
  await directory.users.create(user);
  await expect(directory.users.create(user)).rejects.toMatchObject({ kind: 'NAME_TAKEN', mayHaveHappened: false });
  await expect(directory.users.create(aNewUser(entra, { password: 'Password-1234' }))).rejects.toMatchObject({ kind: 'PASSWORD_REFUSED' });
  await expect(directory.users.create(aNewUser(entra, { userPrincipalName: 'a@elsewhere.example' }))).rejects.toMatchObject({
    kind: 'INVALID',
  });
});

test('a quote in a name finds that name and nothing else', async () => {
  const { entra, directory } = world.connected();
  const user = entra.addUser({ userPrincipalName: `o'neil#&+1@${entra.initialDomain}` });
  expect((await directory.users.byName(user.userPrincipalName))?.id).toBe(user.id);
  expect(await directory.users.byName("x' or startsWith(displayName,'")).toBeNull();
});

test('roles: for a time where licensed, and until taken away', async () => {
  const { entra, directory } = world.connected();
  const { id } = entra.addUser();
  const principal = { id, createdAt: null };
  const wanted = { principal, roleDefinitionId: helpdesk, scope: '/', justification: 'Ticket 7', ticket: '7' };
  await directory.roles.assign({ ...wanted, endsAfterSeconds: 3_600 });
  await expect(directory.roles.assign({ ...wanted, endsAfterSeconds: 3_600 })).rejects.toMatchObject({ kind: 'ALREADY' });
  const [timed] = await directory.roles.of(id);
  if (timed === undefined) throw new Error('No role.');
  expect(timed).toMatchObject({ kind: 'SCHEDULED', roleDefinitionId: helpdesk, scope: '/', endsAt: addSeconds(world.clock.now(), 3_600) });
  await directory.roles.changeEnd(timed, addSeconds(world.clock.now(), 7_200), { justification: 'More time', ticket: '7' });
  expect((await directory.roles.of(id))[0]?.endsAt).toEqual(addSeconds(world.clock.now(), 7_200));
  const shown = { ticketNumber: '7', ticketSystem: 'Stint' };
  expect(entra.roleRequests(id)).toMatchObject([
    { action: 'adminAssign', justification: 'Ticket 7', ...shown },
    { action: 'adminUpdate', justification: 'More time', ...shown },
  ]);
  const done = { justification: 'Done', ticket: '7' };
  await expect(directory.roles.remove(timed, done)).rejects.toMatchObject({ kind: 'TOO_SOON' });
  world.clock.advance(301);
  await directory.roles.remove(timed, done);
  await directory.roles.remove(timed, done);
  expect(await directory.roles.of(id)).toEqual([]);

  await directory.roles.assign({ ...wanted, endsAfterSeconds: null });
  const [standing] = await directory.roles.of(id);
  if (standing === undefined) throw new Error('No role.');
  expect(standing).toMatchObject({ kind: 'DIRECT', endsAt: null });
  expect((await directory.roles.holdersOf(helpdesk)).map(({ principalId }) => principalId)).toEqual([id]);
  await directory.roles.remove(standing, done);
  await directory.roles.remove(standing, done);
  expect(entra.roleAssignments(id)).toEqual([]);
  expect((await directory.roles.definitions()).find((role) => role.id === helpdesk)?.displayName).toBe('Helpdesk Administrator');
});

test('without the licence a role for a time is told as such, and others are read all the same', async () => {
  const { entra, directory } = world.connected({ entra: { licences: 'FREE' } });
  const { id } = entra.addUser();
  const wanted = { principal: { id, createdAt: null }, roleDefinitionId: helpdesk, scope: '/', justification: 'x', ticket: null };
  await expect(directory.roles.assign({ ...wanted, endsAfterSeconds: 3_600 })).rejects.toMatchObject({ kind: 'LICENCE_MISSING' });
  await directory.roles.assign({ ...wanted, endsAfterSeconds: null });
  expect(await directory.roles.of(id)).toMatchObject([{ kind: 'DIRECT' }]);
  expect(await directory.tenant.rolesCanEnd()).toBe(false);
});

test('rules of Privileged Identity Management are told in words', async () => {
  const { entra, directory } = world.connected({ entra: { pimPolicy: { ticketRequired: true, maximumDurationSeconds: 1_800 } } });
  const wanted = {
    principal: { id: entra.addUser().id, createdAt: null },
    roleDefinitionId: helpdesk,
    scope: '/',
    justification: 'x',
    ticket: null,
  };
  const refused = directory.roles.assign({ ...wanted, endsAfterSeconds: 3_600 });
  await expect(refused).rejects.toMatchObject({ kind: 'POLICY', message: expect.stringMatching(/demands a ticket.*for so long/) });
});

test('passes: the policy, one that is issued, and one that was not to be', async () => {
  const { entra, directory } = world.connected();
  const user = { id: entra.addUser().id, createdAt: null };
  expect(await directory.passes.policy()).toMatchObject({ enabled: true, minimumMinutes: 60, maximumMinutes: 480, groupIds: null });
  const issued = await directory.passes.issue({ user, lifetimeMinutes: 60, usableOnce: true, startsAt: null });
  expect(issued).toMatchObject({ usable: true, usableOnce: true, value: expect.stringMatching(/^.{8,}$/) });
  expect((await directory.passes.of(user)).map(({ id }) => id)).toEqual([issued.id]);
  await expect(directory.passes.issue({ user, lifetimeMinutes: 600, usableOnce: true, startsAt: null })).rejects.toMatchObject({
    kind: 'POLICY',
  });
  await directory.passes.delete(user, issued.id);
  await directory.passes.delete(user, issued.id);
  expect(await directory.passes.of(user)).toEqual([]);
});

test('groups: members through groups, page by page, and what changes after', async () => {
  const { entra, directory } = world.connected();
  const people = [entra.addUser(), entra.addUser(), entra.addUser()];
  const [inner, outer] = [entra.addGroup({ displayName: 'Second line' }), entra.addGroup({ displayName: 'Support' })];
  people.slice(0, 2).forEach(({ id }) => entra.addMember(inner.id, id));
  [inner, people[2]].forEach((member) => entra.addMember(outer.id, member?.id ?? ''));
  expect(await directory.groups.search('Supp')).toMatchObject([{ id: outer.id, displayName: 'Support' }]);
  expect(await directory.groups.groupsWithin([outer.id, inner.id, randomUUID()])).toEqual([[inner.id], [], null]);
  const page = await directory.groups.members(outer.id, null);
  const found = page.items.map(({ id }) => id);
  expect(page.cursor).toBeNull();
  expect(found.toSorted()).toEqual(people.map(({ id }) => id).toSorted());

  const first = await directory.groups.groupsDelta([outer.id], null);
  if (first.state === 'EXPIRED') throw new Error('Expired.');
  expect(first).toMatchObject({ complete: true, changes: [{ id: outer.id, displayName: 'Support', membersRemoved: [] }] });
  entra.removeMember(outer.id, people[2]?.id ?? '');
  const next = await directory.groups.groupsDelta([outer.id], first.cursor);
  expect(next).toMatchObject({ changes: [{ id: outer.id, membersAdded: [], membersRemoved: [people[2]?.id] }] });
  entra.expireDeltaTokens();
  expect(await directory.groups.groupsDelta([outer.id], first.cursor)).toEqual({ state: 'EXPIRED' });
});

test('people: all of them, then what changed, in pages', async () => {
  const { entra, directory } = world.connected();
  const people = Array.from({ length: 250 }, () => entra.addUser());
  const seen = new Set<string>();
  let cursor: string | null = null;
  for (let complete = false; !complete;) {
    const page = await directory.groups.usersDelta(cursor);
    if (page.state === 'EXPIRED') throw new Error('Expired.');
    page.changes.forEach(({ id }) => seen.add(id));
    ({ cursor, complete } = page);
  }
  expect(seen.size).toBe(250);
  entra.changeUser(people[7]?.id ?? '', { accountEnabled: false });
  entra.deleteUser(people[8]?.id ?? '');
  const changes = await directory.groups.usersDelta(cursor);
  if (changes.state === 'EXPIRED') throw new Error('Expired.');
  expect(changes.changes.toSorted((a, b) => Number(a.removed) - Number(b.removed))).toMatchObject([
    { id: people[7]?.id, enabled: false, removed: false },
    { id: people[8]?.id, removed: true },
  ]);
});

test('throttled: waits exactly as long as Microsoft says, and everybody else who calls that tenant with it', async () => {
  const { entra, directory } = world.connected();
  await directory.tenant.displayName();
  world.emulator.fail({ method: 'GET', path: '/v1.0/organization', answer: { status: 429, headers: { 'retry-after': '7' } } });
  expect(await directory.tenant.displayName()).toBe('Contoso');
  expect(world.waits).toEqual([7_000]);
  world.emulator.fail({ method: 'GET', path: '/v1.0/organization', answer: { status: 429, headers: { 'retry-after': '90' } } });
  await expect(directory.tenant.displayName()).rejects.toMatchObject({ kind: 'THROTTLED', retryAfterSeconds: 90 });
  const before = world.emulator.exchanges.length;
  await expect(directory.users.byId(nowRef(entra.addUser().id))).rejects.toMatchObject({ kind: 'THROTTLED', retryAfterSeconds: 90 });
  expect(world.emulator.exchanges).toHaveLength(before);
  expect(await world.connected().directory.tenant.displayName()).toBe('Contoso');
});

test('throttled without a word: waits longer each time', async () => {
  const { directory } = world.connected({ urgency: 'LOW' });
  world.emulator.fail({ path: '/v1.0/organization', times: 3, answer: { status: 429 } });
  expect(await directory.tenant.displayName()).toBe('Contoso');
  expect(world.waits).toEqual([1_000, 2_000, 4_000]);
});

test('an answer that was lost: what may be done twice is, what may not is left to the caller', async () => {
  const { entra, directory } = world.connected();
  const user = nowRef(entra.addUser().id);
  for (const answer of ['RESET', { status: 504 }] as const) {
    world.emulator.fail({ method: 'PATCH', when: 'AFTER', answer });
    await directory.users.setEnabled(user, false);
    world.emulator.fail({ method: 'POST', path: '/v1.0/users', when: 'AFTER', answer });
    const made = aNewUser(entra, { marker: 'stint-9' });
    await expect(directory.users.create(made)).rejects.toMatchObject({ kind: 'UNAVAILABLE', mayHaveHappened: true });
    expect(
      world.requests('POST', /^\/v1\.0\/users$/).filter(({ requestBody }) => JSON.stringify(requestBody).includes(made.mailNickname)),
    ).toHaveLength(1);
    expect((await directory.users.byName(made.userPrincipalName))?.marker).toBe('stint-9');
  }
});

test('nobody there: nothing has happened, whatever it was', async () => {
  const { entra, directory } = world.connected();
  await directory.tenant.displayName();
  await world.emulator.stop();
  // The connection that was open is gone after this.
  await expect(directory.tenant.domains()).rejects.toMatchObject({ kind: 'UNAVAILABLE', mayHaveHappened: false });
  world.waits.splice(0);
  await expect(directory.users.create(aNewUser(entra))).rejects.toMatchObject({ kind: 'UNAVAILABLE', mayHaveHappened: false });
  expect(world.waits.length).toBeGreaterThan(2);
});

test('what is fresh is not known everywhere yet: waited for, and only if it is fresh', async () => {
  const { entra, directory } = world.connected({ urgency: 'LOW' });
  world.emulator.setConsistency({ seconds: 20, reads: 2 });
  const made = await directory.users.create(aNewUser(entra));
  await directory.roles.assign({
    principal: made,
    roleDefinitionId: helpdesk,
    scope: '/',
    endsAfterSeconds: 3_600,
    justification: 'x',
    ticket: null,
  });
  expect(world.waits.length).toBeGreaterThan(0);
  world.waits.splice(0);
  expect(
    await directory.users.byId({ id: '11111111-2222-3333-4444-555555555555', createdAt: addSeconds(world.clock.now(), -400) }),
  ).toBeNull();
  expect(world.waits).toEqual([]);
});

test('a missing permission is named', async () => {
  const { entra, directory } = world.connected({ app: { permissions: ['User.Read.All'] } });
  await expect(directory.users.create(aNewUser(entra))).rejects.toMatchObject({ kind: 'FORBIDDEN', permissions: ['User.ReadWrite.All'] });
});

test('one token serves many calls; one that was revoked is replaced', async () => {
  const { entra, directory } = world.connected();
  const tokens = () => world.requests('POST', new RegExp(`^/login/${entra.id}/`)).length;
  await Promise.all([directory.tenant.displayName(), directory.tenant.domains(), directory.tenant.rolesCanEnd()]);
  expect(tokens()).toBe(1);
  world.emulator.fail({ path: '/v1.0/organization', answer: { status: 401, code: 'InvalidAuthenticationToken' } });
  expect(await directory.tenant.displayName()).toBe('Contoso');
  expect(tokens()).toBe(2);
  world.clock.advance(3_400);
  expect(await directory.tenant.displayName()).toBe('Contoso');
  expect(tokens()).toBe(3);
});

test('parts of a batch fail by themselves, and are asked again by themselves', async () => {
  const { entra, directory } = world.connected();
  const { id } = entra.addUser();
  entra.assignRole(id, 'Helpdesk Administrator');
  world.emulator.fail({
    path: '/v1.0/roleManagement/directory/roleAssignmentScheduleInstances',
    answer: { status: 429, headers: { 'retry-after': '3' } },
  });
  expect(await directory.roles.of(id)).toMatchObject([{ roleDefinitionId: helpdesk }]);
  expect(world.waits).toEqual([3_000]);
  expect(world.requests('GET', /roleAssignments\?/)).toHaveLength(1);
  expect(world.requests('GET', /roleAssignmentScheduleInstances\?/)).toHaveLength(2);
});

test('every call says who it is for support, and how urgent it is; no error tells what was sent', async () => {
  const { entra, directory } = world.connected({ urgency: 'LOW' });
  const password = 'Contoso-Secret-99';
  const failure = await directory.users.create(aNewUser(entra, { password })).catch((error: unknown) => error as Error);
  expect(`${String(failure)} ${JSON.stringify(failure)} ${(failure as Error).stack ?? ''}`).not.toContain(password);
  for (const { requestHeaders } of world.requests('POST', /^\/v1\.0\//)) {
    expect(requestHeaders).toMatchObject({
      'x-ms-throttle-priority': 'low',
      'client-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  }
});
