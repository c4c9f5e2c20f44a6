import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Actor, Payload } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { eventually } from '@stint/testing';
import {
  joinAs,
  joinBy,
  joinFirst,
  only,
  problem,
  startTestTenants,
  technician,
  type TestTenants,
  type Thing,
} from '../test-tenants.support.ts';
import { sourceTechnicianService } from './source-technician.parts.ts';
import { sourceConflictSweep, userSourceHandlers } from './user-source.consumer.ts';
import type { SourceTechnicianService } from './source-technician.service.ts';

type Told = Payload<'source-technician-changed'>;
interface Seen extends Thing {
  id: Id;
  active: boolean;
  email: string;
}

let tenants: TestTenants;
let mspId: Id;
let ada: Actor;
let system: Tenancy;
let sourced: SourceTechnicianService;
const revoked: string[] = [];
const versions = new Map<string, number>();
const message = { id: newId(), from: 'entra-connector' as const };

beforeAll(async () => {
  tenants = await startTestTenants();
  ({ mspId, administrator: ada } = await joinFirst(tenants));
  system = await Tenancy.open({ schema: 'tenants', ...tenants.database.urls('tenants'), poolSize: 4 });
  sourced = sourceTechnicianService({ tenancy: system, clock: tenants.clock, revoke: (id) => void revoked.push(id) });
});
beforeEach(() => {
  revoked.length = 0;
});
afterAll(async () => {
  await system?.close();
  await tenants?.close();
});

/** A message about a person, newer than those before. */
function person(change: Partial<Told> = {}): Told {
  const objectId = change.objectId ?? randomUUID();
  const version = (versions.get(objectId) ?? 0) + 1;
  versions.set(objectId, version);
  return {
    ...{
      mspId,
      tenantId: mspId,
      objectId,
      email: `${objectId}@northwind.example`,
      displayName: 'Žofie Ängström',
      present: true,
      owned: true,
    },
    ...{ groupIds: [], roles: ['TECHNICIAN'], version },
    ...change,
  };
}
async function tell(...people: Told[]): Promise<void> {
  const handler = userSourceHandlers(sourced)['source-technician-changed'];
  for (const one of people) await system.asSystem(async (tx) => handler?.(tx, one, message));
}
const fills = (groupIds: Id[], version: number) =>
  system.asSystem(async (tx) =>
    userSourceHandlers(sourced)['user-source-changed']?.(tx, { mspId, tenantId: mspId, groupIds, version }, message),
  );
/** A minute later it must be as expected by the sweep. The service's own may have the rows in hand, which another one skips. */
async function swept(expected: () => Promise<void>): Promise<void> {
  tenants.clock.advance(61);
  await eventually(async () => {
    await system.asSystem((tx) => sourceConflictSweep(sourced).run(tx, tenants.clock.now()));
    await expected();
  });
}

const fields = `__typename id email displayName active switchedOff sourceOff joined sourceObjectId groups { id } roles { id role fromSource }`;
const everybody = async (): Promise<Seen[]> => {
  const answer = await tenants.send(
    ada,
    `query ($id: ID!) { tenant(id: $id) { __typename technicians(first: 100) { edges { node { ${fields} } } } } }`,
    {
      id: mspId,
    },
  );
  return (only(answer)['technicians'] as { edges: { node: Seen }[] }).edges.map(({ node }) => node);
};
const seen = async (objectId: string): Promise<Seen | undefined> => (await everybody()).find((one) => one['sourceObjectId'] === objectId);
const conflicts = async (): Promise<Record<string, unknown>[]> => {
  const answer = await tenants.send(
    ada,
    'query ($id: ID!) { tenant(id: $id) { __typename sourceConflicts { edges { node { id objectId kind leftAlone technician { id } } } } } }',
    { id: mspId },
  );
  return (only(answer)['sourceConflicts'] as { edges: { node: Record<string, unknown> }[] }).edges.map(({ node }) => node);
};
const conflictOf = async (objectId: string) => (await conflicts()).find((one) => one['objectId'] === objectId);
const mutate = async (name: string, more: string, input: object, by: Actor = ada): Promise<Thing> => {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input!`;
  return only(await tenants.send(by, `mutation ($input: ${type}) { ${name}(input: $input) { ${problem} ${more} } }`, { input }));
};
const resolve = async (objectId: string, decision: 'LINK' | 'LEAVE') =>
  mutate('resolveSourceConflict', '... on SourceConflictResolved { technician { id } }', {
    id: (await conflictOf(objectId))?.['id'],
    decision,
  });
const group = async (): Promise<Id> => {
  const id = newId();
  await mutate('createGroup', '', { id, tenantId: mspId, name: `Group ${id}` });
  return id;
};

describe('a person of the source', () => {
  test('is made, changed, switched off and on again; late and doubled messages do nothing', async () => {
    const [first, second] = [await group(), await group()];
    await fills([first, second], 1);
    const made = person({ groupIds: [first] });
    await tell(made, made);
    const before = await seen(made.objectId);
    expect(before).toMatchObject({ displayName: 'Žofie Ängström', active: true, joined: false, groups: [{ id: first }] });
    expect(before?.['roles']).toMatchObject([{ role: 'TECHNICIAN', fromSource: true }]);
    const changed = person({ ...made, version: 2, email: 'new@northwind.example', groupIds: [second], roles: ['AUDITOR', 'HELPDESK'] });
    await tell(changed, made);
    expect(await seen(made.objectId)).toMatchObject({ id: before?.id, email: 'new@northwind.example', groups: [{ id: second }] });
    await tell({ ...changed, version: 3, present: false, groupIds: [], roles: [] });
    expect(await seen(made.objectId)).toMatchObject({ active: false, sourceOff: true, switchedOff: false, groups: [], roles: [] });
    expect(revoked).toContain(before?.id);
    await tell({ ...changed, version: 4 });
    expect(await seen(made.objectId)).toMatchObject({ active: true, groups: [{ id: second }] });
  });

  test('who is not there and never was is not made', async () => {
    const absent = person({ present: false });
    await tell(absent);
    expect(await seen(absent.objectId)).toBeUndefined();
  });

  test('joins by a link that an administrator sends, and keeps the name that the source tells', async () => {
    const made = person();
    await tell(made);
    const input = { id: (await seen(made.objectId))?.id, tenantId: mspId, email: made.email, roles: ['TECHNICIAN'] };
    const { link } = (await mutate('inviteTechnician', '... on Invitation { link }', input)) as unknown as { link: string };
    await joinBy(tenants, link.split('#')[1]);
    expect(await seen(made.objectId)).toMatchObject({ joined: true, displayName: 'Žofie Ängström' });
  });

  test('has all sessions ended at once when they are gone', async () => {
    const made = person();
    await tell(made);
    const { id } = (await seen(made.objectId)) ?? {};
    const input = {
      ...{ id: newId(), technicianId: id, client: 'stint-console', userAgent: '', signedInBy: 'PASSKEY', payload: '{}' },
      expiresAt: new Date(tenants.clock.now().getTime() + 3_600_000).toISOString(),
    };
    await tenants.send({ kind: 'gateway' }, `mutation ($input: StartSessionInput!) { startSession(input: $input) { ${problem} } }`, {
      input,
    });
    await tell({ ...made, version: 2, present: false });
    expect(revoked).toEqual(expect.arrayContaining([id, `session:${input.id}`]));
    expect((await tenants.send({ kind: 'gateway' }, 'query ($id: ID!) { technicianPrincipal(id: $id) { active } }', { id })).data).toEqual({
      technicianPrincipal: null,
    });
  });

  test('whom an administrator has switched off stays off when the source has them back', async () => {
    const made = person();
    await tell(made);
    const id = (await seen(made.objectId))?.id;
    await mutate('updateTechnician', '', { id, active: false });
    await tell({ ...made, version: 2, present: false }, { ...made, version: 3 });
    expect(await seen(made.objectId)).toMatchObject({ active: false, switchedOff: true, sourceOff: false });
    expect(await mutate('updateTechnician', '... on Technician { active }', { id, active: true })).toMatchObject({ active: true });
  });

  test('whom the source has switched off is not switched on by hand', async () => {
    const made = person();
    await tell(made, { ...made, version: 2, present: false });
    const id = (await seen(made.objectId))?.id;
    expect(await mutate('updateTechnician', '', { id, active: true })).toMatchObject({
      __typename: 'Conflict',
      message: expect.stringContaining('Entra ID'),
    });
  });

  test('keeps what people gave: a role by hand stays when the source takes its own', async () => {
    const made = person();
    await tell(made);
    const { link } = (await mutate('inviteTechnician', '... on Invitation { link }', {
      ...{ id: (await seen(made.objectId))?.id, tenantId: mspId, email: made.email, roles: ['TECHNICIAN'] },
    })) as unknown as { link: string };
    await joinBy(tenants, link.split('#')[1]);
    const technicianId = (await seen(made.objectId))?.id;
    await mutate('assignRole', '', { id: newId(), technicianId, tenantId: mspId, role: 'AUDITOR' });
    const held = (await seen(made.objectId))?.['roles'] as { id: Id; fromSource: boolean }[];
    const refused = await mutate('removeRole', '', { id: held.find(({ fromSource }) => fromSource)?.id });
    expect(refused).toMatchObject({ __typename: 'Conflict', message: expect.stringContaining('Entra ID') });
    await tell({ ...made, version: 2, roles: [] });
    expect((await seen(made.objectId))?.['roles']).toMatchObject([{ role: 'AUDITOR', fromSource: false }]);
  });
});

describe('a group that the source fills', () => {
  test('says so, and takes nobody by hand; who was put in before can be taken out', async () => {
    const id = await group();
    const bert = await joinAs(tenants, ada, 'bert-in-group@example.com');
    const carl = await joinAs(tenants, ada, 'carl@example.com');
    await mutate('setGroupMembers', '', { groupId: id, technicianIds: [bert.id] });
    await fills([id], 2);
    const made = person({ groupIds: [id] });
    await tell(made);
    const theirs = String((await seen(made.objectId))?.id);
    for (const technicianIds of [[bert.id, theirs, carl.id], [bert.id], []])
      expect((await mutate('setGroupMembers', '', { groupId: id, technicianIds })).__typename).toBe('Conflict');
    const done = await mutate('setGroupMembers', '... on Group { fromSource members { id } }', { groupId: id, technicianIds: [theirs] });
    expect(done).toMatchObject({ fromSource: true, members: [{ id: theirs }] });
    await fills([], 3);
    await fills([id], 2); // late
    expect((await mutate('setGroupMembers', '', { groupId: id, technicianIds: [carl.id, theirs] })).__typename).toBe('Group');
  });

  test('is waited for when its message comes later', async () => {
    const id = newId();
    const made = person({ groupIds: [id] });
    await tell(made);
    expect(await conflictOf(made.objectId)).toMatchObject({ kind: 'GROUP_UNKNOWN' });
    await mutate('createGroup', '', { id, tenantId: mspId, name: `Late ${id}` });
    await swept(async () => expect(await seen(made.objectId)).toMatchObject({ groups: [{ id }] }));
    expect(await conflictOf(made.objectId)).toBeUndefined();
  });
});

describe('the address of a local technician', () => {
  test('is a conflict; linked, they are the same person, with what they had', async () => {
    const bert = await joinAs(tenants, ada, 'bert@northwind.example');
    const his = person({ email: 'bert@northwind.example', displayName: 'Bert Berg' });
    await tell(his);
    expect(await seen(his.objectId)).toBeUndefined();
    expect(await conflictOf(his.objectId)).toMatchObject({ kind: 'LOCAL_TECHNICIAN', leftAlone: false, technician: { id: bert.id } });
    expect(await resolve(his.objectId, 'LINK')).toMatchObject({ technician: { id: bert.id } });
    expect(await seen(his.objectId)).toMatchObject({ id: bert.id, joined: true, displayName: 'Bert Berg' });
    expect(await conflictOf(his.objectId)).toBeUndefined();
    await tell({ ...his, version: 2, present: false });
    expect(await seen(his.objectId)).toMatchObject({ id: bert.id, active: false });
  });

  test('left alone, the local technician stays who they are, and the conflict says so', async () => {
    const dora = await joinAs(tenants, ada, 'dora@northwind.example');
    const other = person({ email: 'dora@northwind.example' });
    await tell(other);
    expect(await resolve(other.objectId, 'LEAVE')).toMatchObject({ technician: null });
    await tell({ ...other, version: 2, displayName: 'Somebody else' });
    expect(await conflictOf(other.objectId)).toMatchObject({ leftAlone: true });
    expect((await everybody()).find(({ id }) => id === dora.id)).toMatchObject({ sourceObjectId: null, displayName: 'Anna', active: true });
    await tell({ ...other, version: 3, email: 'another@northwind.example' });
    expect(await seen(other.objectId)).toMatchObject({ email: 'another@northwind.example' });
  });

  test('is not taken by somebody who is here already: they keep the one that they have', async () => {
    await joinAs(tenants, ada, 'emil@northwind.example');
    const made = person();
    await tell(made, { ...made, version: 2, email: 'emil@northwind.example', displayName: 'Renamed' });
    expect(await seen(made.objectId)).toMatchObject({ email: made.email, displayName: 'Renamed' });
    expect(await conflictOf(made.objectId)).toMatchObject({ kind: 'ADDRESS_TAKEN' });
    expect((await resolve(made.objectId, 'LINK')).__typename).toBe('Conflict');
  });
});

describe('an address that moves inside the source', () => {
  test.each([
    ['told in one order', false],
    ['told in the other', true],
  ])('two people who change addresses have each other’s in the end, %s', async (_, turned) => {
    const [one, two] = [person(), person()];
    await tell(one, two);
    const ids = [(await seen(one.objectId))?.id, (await seen(two.objectId))?.id];
    const changes = [
      { ...one, version: 2, email: two.email },
      { ...two, version: 2, email: one.email },
    ];
    await tell(...(turned ? changes.toReversed() : changes));
    expect(await seen(one.objectId)).toMatchObject({ id: ids[0], email: two.email });
    expect(await seen(two.objectId)).toMatchObject({ id: ids[1], email: one.email });
    const open = async () => (await conflicts()).filter((each) => [one.objectId, two.objectId].includes(String(each['objectId'])));
    await swept(async () => expect(await open()).toEqual([]));
  });

  test('three in a circle too', async () => {
    const people = [person(), person(), person()];
    await tell(...people);
    await tell(...people.map((one, place) => ({ ...one, version: 2, email: people[(place + 1) % 3]?.email ?? '' })));
    for (const [place, one] of people.entries()) expect(await seen(one.objectId)).toMatchObject({ email: people[(place + 1) % 3]?.email });
  });

  test('somebody made again with a new object id is another person, and gets the address; the former one stays off', async () => {
    const former = person();
    await tell(former, { ...former, version: 2, present: false });
    const again = person({ email: former.email });
    await tell(again);
    const [before, now] = [await seen(former.objectId), await seen(again.objectId)];
    expect(before).toMatchObject({ active: false, email: `${former.objectId}@address-moved.invalid` });
    expect(now).toMatchObject({ active: true, joined: false, email: former.email });
    expect(now?.id).not.toBe(before?.id);
  });

  test('of two with one address the first has it; the other one waits until it is free', async () => {
    const first = person();
    const second = person({ email: first.email });
    await tell(first, second);
    expect(await seen(second.objectId)).toBeUndefined();
    expect(await conflictOf(second.objectId)).toMatchObject({ kind: 'ADDRESS_TAKEN' });
    await tell({ ...first, version: 2, email: `moved-${first.email}` });
    await swept(async () => expect(await seen(second.objectId)).toMatchObject({ email: first.email }));
    expect(await conflictOf(second.objectId)).toBeUndefined();
  });
});

test('the last administrator stays, shown as a conflict, until there is another one', async () => {
  const hers = person({ email: 'ada@example.com', roles: [] });
  await tell(hers);
  expect(await resolve(hers.objectId, 'LINK')).toMatchObject({ technician: { id: ada.id } });
  await tell({ ...hers, version: 2, present: false });
  expect(await seen(hers.objectId)).toMatchObject({ id: ada.id, active: true });
  expect(await conflictOf(hers.objectId)).toMatchObject({ kind: 'LAST_ADMINISTRATOR' });
  const other = await joinAs(tenants, ada, 'second-administrator@example.com', 'ADMINISTRATOR');
  await swept(async () => expect(await seen(hers.objectId)).toMatchObject({ active: false }));
  await tell({ ...hers, version: 3 });
  expect(await seen(hers.objectId)).toMatchObject({ active: true });
  await mutate('updateTechnician', '', { id: other.id, active: false });
});

describe('letting go', () => {
  test('leaves people as they are, with groups and roles as if given by hand', async () => {
    const id = await group();
    const made = person({ groupIds: [id] });
    await tell(made, { ...made, version: 2, owned: false });
    expect(await seen(made.objectId)).toBeUndefined();
    const local = (await everybody()).find(({ email }) => email === made.email);
    expect(local).toMatchObject({ active: true, groups: [{ id }], roles: [{ role: 'TECHNICIAN', fromSource: false }] });
    // Switched on again, the source finds them by the object id.
    await tell({ ...made, version: 3, displayName: 'Back' });
    expect(await seen(made.objectId)).toMatchObject({ id: local?.id, displayName: 'Back' });
  });

  test('or switches them off, for an administrator to switch on', async () => {
    const made = person();
    await tell(made, { ...made, version: 2, owned: false, present: false, roles: [] });
    const local = (await everybody()).find(({ email }) => email === made.email);
    expect(local).toMatchObject({ active: false, switchedOff: true, sourceOff: false });
    expect(await mutate('updateTechnician', '... on Technician { active }', { id: local?.id, active: true })).toMatchObject({
      active: true,
    });
  });
});

test('nobody makes a link for somebody who holds more than they do', async () => {
  const made = person({ roles: ['TECHNICIAN'] });
  await tell(made);
  const weak: Actor = {
    ...technician(mspId, mspId, 'HELPDESK'),
    access: [{ tenantId: mspId, permissions: ['technician.write', 'tenant.read', 'device.read', 'laps.reveal'] }],
  };
  const input = { id: (await seen(made.objectId))?.id, tenantId: mspId, email: made.email, roles: ['HELPDESK'] };
  expect(await mutate('inviteTechnician', '', input, weak)).toMatchObject({
    __typename: 'Conflict',
    message: expect.stringContaining('do not hold'),
  });
});
