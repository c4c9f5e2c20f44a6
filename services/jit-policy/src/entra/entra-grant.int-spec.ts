import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import type { Payload } from '@stint/contracts';
import { verifyEvidence } from '@stint/evidence';
import { eventually } from '@stint/testing';
import { AuditRetentionSweep } from '../settings/audit-retention.sweep.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { EntraDesk, entraGrantFields } from '../testing/entra-desk.ts';
import { idOf, technicianActor, World, type Technician, type Thing } from '../testing/world.ts';
import { oldId, TestJitPolicy } from '../testing/test-jit-policy.ts';
import { EntraRetentionRepository } from './entra-retention.repository.ts';
import { EntraRetentionSweep } from './entra-retention.sweep.ts';

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
let desk: EntraDesk;
let anna: Technician;
let bert: Technician;
let usersRule: Id;
const seniors = oldId();

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  desk = new EntraDesk(world, customer);
  await service.tell('group-changed', { mspId: msp.mspId, tenantId: msp.tenantId, groupId: seniors, name: 'Seniors', version: 1 });
  [anna, bert] = [await world.technician(msp), await world.technician(msp, 'TECHNICIAN', { email: 'bert@example.com' })];
  await service.settled();
  const kinds = ['ENTRA_ROLE'];
  usersRule = await world.rule(customer, { name: 'Users', kinds, entraRoles: ['User Administrator'], maxSeconds: 7200 });
  await world.rule(customer, { name: 'Seniors', kinds, entraRoles: ['Exchange Administrator'], groups: [seniors] });
  await world.rule(customer, { name: 'Two people', kinds, entraRoles: ['Security Administrator'], approvals: 1, groups: [seniors] });
  await desk.connect();
});
afterAll(() => service.close());

const administrator = () => technicianActor(msp, 'ADMINISTRATOR');
const senior = async (email: string) => {
  const made = await world.technician(msp, 'TECHNICIAN', { email, groupIds: [seniors] });
  await service.settled();
  return made;
};
const inSeconds = (seconds: number) => new Date(service.clock.now().getTime() + seconds * 1000).toISOString();
const change = (name: string, input: object, by = anna.actor) => world.mutate(by, name, `... on Grant { ${entraGrantFields} }`, input);
const stateOf = async (id: Id) => (await desk.grant(anna, id))['state'];
const lastTold = (id: Id) => desk.told(id).at(-1);
// In order of the alphabet: messages have none.
const actionsAbout = (id: Id) =>
  service.audits
    .filter(({ subjectId }) => subjectId === id)
    .map(({ action }) => action)
    .sort();
const wholeLife = ['grant.activated', 'grant.approved', 'grant.end-requested', 'grant.ended'];

describe('the life of a grant in Entra', () => {
  test('its time runs from when it is active; the connector is told of its end; at its end it is taken away, seen, over', async () => {
    const id = await desk.granted(anna);
    service.clock.advance(100);
    await desk.report(id, 'ACTIVE', { secondsAgo: 10, accountName: 'jit-anna@contoso.example', why: 'A password instead of a pass.' });
    const [activeAt, expiresAt] = [inSeconds(-10), inSeconds(3590)];
    expect(await desk.grant(anna, id)).toMatchObject({
      ...{ state: 'ACTIVE', accountName: 'jit-anna@contoso.example', activeAt, expiresAt, warnAt: inSeconds(3290) },
      extendableUntil: inSeconds(7190),
    });
    await eventually(() => expect(lastTold(id)).toMatchObject({ wanted: true, expiresAt, version: 2 }));
    expect(await service.audited('grant.activated', id)).toMatchObject({
      details: {
        role: 'User Administrator',
        scope: '/',
        accountKind: 'JIT',
        accountName: 'jit-anna@contoso.example',
        why: expect.any(String),
      },
    });
    service.clock.advance(3590);
    await eventually(async () => expect(await desk.grant(anna, id)).toMatchObject({ state: 'ENDING', endReason: 'EXPIRED' }));
    await eventually(() => expect(lastTold(id)).toMatchObject({ wanted: false, version: 3 }));
    await desk.report(id, 'ENDED', { secondsAgo: 1, accountName: 'jit-anna@contoso.example' });
    expect(await desk.grant(anna, id)).toMatchObject({ state: 'ENDED', endReason: 'EXPIRED', endedAt: inSeconds(-1) });
    expect(await service.audited('grant.ended', id)).toMatchObject({ details: { role: 'User Administrator', endReason: 'EXPIRED' } });
    await eventually(() => expect(actionsAbout(id)).toEqual(wholeLife));
    expect(desk.told(id)).toHaveLength(3);
  });

  test('what is not active after 15 minutes is called off', async () => {
    const id = await desk.granted(anna);
    service.clock.advance(899);
    expect(await stateOf(id)).toBe('APPROVED');
    service.clock.advance(1);
    await eventually(async () => expect(await desk.grant(anna, id)).toMatchObject({ state: 'ENDING', endReason: 'NOT_ACTIVATED' }));
    await eventually(() => expect(lastTold(id)).toMatchObject({ wanted: false, version: 2 }));
    await desk.report(id, 'FAILED');
    expect(await desk.grant(anna, id)).toMatchObject({ state: 'FAILED', failure: 'The pass policy forbids it.' });
  });

  test('what could not be given is told in the connector`s words', async () => {
    const id = await desk.granted(anna);
    await desk.report(id, 'FAILED');
    expect(await desk.grant(anna, id)).toMatchObject({ state: 'FAILED', failure: 'The pass policy forbids it.', accountName: null });
    expect(await service.audited('grant.failed', id)).toMatchObject({ details: { failure: 'The pass policy forbids it.' } });
  });

  test('is extended within its rule, once for each id, and shortened; the connector is told of each new end', async () => {
    const id = await desk.active(anna);
    const extension = { id: newId(), grantId: id, seconds: 600 };
    const extended = await change('extendGrant', extension);
    expect(extended).toMatchObject({ state: 'ACTIVE', expiresAt: inSeconds(4200) });
    expect(await change('extendGrant', extension)).toEqual(extended);
    expect(await change('extendGrant', { ...extension, id: newId(), seconds: 28_800 })).toMatchObject({ expiresAt: inSeconds(7200) });
    expect(await change('extendGrant', { ...extension, id: newId() })).toMatchObject({ __typename: 'Conflict' });
    expect(await change('extendGrant', { ...extension, id: newId() }, bert.actor)).toMatchObject({ __typename: 'NotFound' });
    expect(await change('shortenGrant', { id, expiresAt: inSeconds(60) }, administrator())).toMatchObject({ expiresAt: inSeconds(60) });
    await eventually(() =>
      expect(desk.told(id).map(({ version, expiresAt }) => [version, expiresAt])).toEqual([
        ...[[1, null], ...[3600, 4200, 7200, 60].map((seconds, index) => [index + 2, inSeconds(seconds)])],
      ]),
    );
    await desk.connect(false, 'x');
    expect(await change('endGrant', { id })).toMatchObject({ state: 'ENDING', endReason: 'REVOKED' });
    expect(await change('endGrant', { id })).toMatchObject({ state: 'ENDING', endReason: 'REVOKED' });
    await desk.connect();
    await eventually(() => expect(lastTold(id)).toMatchObject({ wanted: false, version: 6 }));
  });

  test('an end that fails is stuck, loudly and for ever, until it was seen', async () => {
    const id = await desk.active(anna);
    await change('endGrant', { id });
    await desk.report(id, 'STUCK');
    expect(await stateOf(id)).toBe('END_STUCK');
    expect(await service.audited('grant.end-stuck', id)).toMatchObject({ details: { why: 'The pass policy forbids it.' } });
    // The end is told again from time to time, for a connector that may have lost it.
    for (const version of [4, 5]) {
      service.clock.advance(300);
      await eventually(() => expect(lastTold(id)).toMatchObject({ wanted: false, version }));
    }
    await desk.report(id, 'ENDED');
    expect(await desk.grant(anna, id)).toMatchObject({ state: 'ENDED', endReason: 'REVOKED' });
  });

  test('an end of which nothing is heard is stuck too', async () => {
    const id = await desk.active(anna);
    await change('endGrant', { id });
    service.clock.advance(300);
    await eventually(async () => expect(await stateOf(id)).toBe('END_STUCK'));
  });

  test('that the connector ended by its own lease has expired; that somebody ended in Entra was taken away', async () => {
    const [lease, taken] = [await desk.active(anna), await desk.active(anna)];
    await desk.report(taken, 'ENDED');
    expect(await desk.grant(anna, taken)).toMatchObject({ state: 'ENDED', endReason: 'ACCESS_REMOVED' });
    await desk.report(lease, 'ENDED', { at: inSeconds(3595) });
    expect(await desk.grant(anna, lease)).toMatchObject({ state: 'ENDED', endReason: 'EXPIRED' });
    for (const id of [lease, taken]) await eventually(() => expect(lastTold(id)).toMatchObject({ wanted: false }));
  });

  test('late, doubled and reordered reports do nothing twice', async () => {
    for (let round = 0; round < 3; round += 1) {
      const id = await desk.granted(anna);
      const { mspId, tenantId } = customer;
      const report = (state: 'ACTIVE' | 'ENDED', version: number) => ({
        ...{ mspId, tenantId, grantId: id, state, at: inSeconds(0), accountName: 'jit-anna@contoso.example', why: null, version },
      });
      await service.tell('entra-grant-reported', report('ACTIVE', 1), report('ACTIVE', 1), report('ACTIVE', 2));
      await service.settled();
      await change('endGrant', { id });
      await service.tell('entra-grant-reported', report('ENDED', 4), report('ACTIVE', 1), report('ENDED', 4), report('ENDED', 3));
      await service.settled();
      expect(await desk.grant(anna, id)).toMatchObject({ state: 'ENDED', endReason: 'REVOKED' });
      await eventually(() => expect(actionsAbout(id)).toEqual(wholeLife));
      expect(desk.told(id).map(({ version }) => version)).toEqual([1, 2, 3]);
    }
  });

  test('a report of a grant that is not here, or of another tenant`s, does nothing', async () => {
    const id = await desk.active(anna);
    await desk.report(newId(), 'ACTIVE');
    await desk.report(id, 'ENDED', { mspId: oldId() });
    expect(await stateOf(id)).toBe('ACTIVE');
  });

  test('reports and an end at once: it ends', async () => {
    for (let round = 0; round < 5; round += 1) {
      const id = await desk.granted(anna);
      await Promise.all([desk.report(id, 'ACTIVE'), change('endGrant', { id }), change('endGrant', { id }, administrator())]);
      expect(await desk.grant(anna, id)).toMatchObject({ state: 'ENDING', endReason: 'REVOKED' });
      await eventually(() => expect(lastTold(id)).toMatchObject({ wanted: false }));
      const versions = desk.told(id).map(({ version }) => version);
      expect(versions).toEqual(versions.map((_, index) => index + 1));
    }
  });
});

describe('who may not have access in Entra any more loses it', () => {
  test('when the technician leaves the group: the grant, and what waits', async () => {
    const dora = await senior('dora@example.com');
    const grant = await desk.active(dora, { roleName: 'Exchange Administrator' });
    const kept = await desk.active(dora);
    const request = idOf(await desk.ask(dora, desk.input({ roleName: 'Security Administrator' })));
    await service.tell('technician-changed', { ...dora.told, groupIds: [], version: 2 });
    await service.settled();
    expect(await desk.grant(anna, grant)).toMatchObject({ state: 'ENDING', endReason: 'ACCESS_REMOVED' });
    expect(await stateOf(kept)).toBe('ACTIVE');
    expect(await world.accessRequest(anna, request)).toMatchObject({ state: 'CANCELLED', endedWhy: 'No access rule allows this.' });
    await eventually(() => expect(lastTold(grant)).toMatchObject({ wanted: false }));
  });

  test('when the technician is switched off, approvals under way included', async () => {
    const dora = await senior('dora2@example.com');
    const grant = await desk.active(dora);
    const request = await desk.ask(dora, desk.input({ roleName: 'Security Administrator' }));
    await service.tell('technician-changed', { ...dora.told, active: false, version: 2 });
    await service.settled();
    expect(await desk.grant(anna, grant)).toMatchObject({ state: 'ENDING', endReason: 'ACCESS_REMOVED' });
    expect(await desk.approve(await senior('eve@example.com'), request)).toMatchObject({ __typename: 'Conflict' });
    await expect(desk.ask(dora, desk.input())).rejects.toThrow('FORBIDDEN');
  });

  test('when a rule changes', async () => {
    const id = await desk.active(bert);
    const update = (input: object) =>
      world.mutate(administrator(), 'updateAccessRule', '... on AccessRule { __typename }', { id: usersRule, ...input });
    await update({ maxSeconds: 60, requireTicket: true });
    await eventually(async () => expect(await service.rows('select id from access_recheck')).toEqual([]));
    expect(await stateOf(id)).toBe('ACTIVE');
    expect(await change('extendGrant', { id: newId(), grantId: id, seconds: 60 }, bert.actor)).toMatchObject({ __typename: 'Conflict' });
    await update({ entraRoles: ['Helpdesk Administrator'] });
    await eventually(async () => expect(await desk.grant(anna, id)).toMatchObject({ state: 'ENDING', endReason: 'ACCESS_REMOVED' }));
    await update({ entraRoles: ['User Administrator'], maxSeconds: 7200, requireTicket: false });
  });

  test('by endAllOfTechnician, with everything that waits', async () => {
    const dora = await senior('dora3@example.com');
    const [grant, other] = [await desk.active(dora), await desk.granted(dora)];
    const request = idOf(await desk.ask(dora, desk.input({ roleName: 'Security Administrator' })));
    const input = { technicianId: dora.actor.id, reason: 'Phone lost' };
    const fields = '... on EndedAll { __typename grants { id state } cancelledLogins outOfReach }';
    const elsewhere = technicianActor(await world.tenant(msp, 'Sibling'), 'ADMINISTRATOR');
    await service.settled();
    expect(await world.mutate(elsewhere, 'endAllOfTechnician', fields, input)).toMatchObject({ __typename: 'NotFound' });
    const ended = await world.mutate(administrator(), 'endAllOfTechnician', fields, input);
    expect(ended).toMatchObject({ cancelledLogins: 1, outOfReach: 0 });
    expect((ended['grants'] as Thing[]).map(idOf).sort()).toEqual([grant, other].sort());
    expect(await world.accessRequest(anna, request)).toMatchObject({ state: 'CANCELLED', endedWhy: 'Phone lost' });
    for (const id of [grant, other]) await eventually(() => expect(lastTold(id)).toMatchObject({ wanted: false }));
  });
});

describe('a grant in Entra', () => {
  const listed = async (by: Technician, type: 'Tenant' | 'Technician', id: Id): Promise<Id[]> => {
    const query = `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on ${type} { grants(first: 100) { edges { node { id entraRole } } } } } }`;
    const answer = await service.send(by.actor, query, { refs: [{ __typename: type, id }] });
    const [entity] = (answer.data?.['_entities'] ?? []) as { grants: { edges: { node: { id: Id } }[] } }[];
    return entity?.grants.edges.map(({ node }) => node.id) ?? [];
  };

  test('is listed with the tenant`s and the technician`s, and by reference; no device sees it or acts upon it', async () => {
    const computer = await world.computer(customer);
    await service.settled();
    const onDevice = await world.active(anna, computer);
    const id = await desk.active(anna);
    expect((await listed(anna, 'Tenant', customer.tenantId)).slice(0, 2)).toEqual([id, onDevice].sort().reverse());
    expect(await listed(anna, 'Technician', anna.actor.id)).toContain(id);
    const query = 'query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Grant { id entraRole } } }';
    const refs = [{ __typename: 'Grant', id }];
    expect(await service.send(anna.actor, query, { refs })).toEqual({ data: { _entities: [{ id, entraRole: 'User Administrator' }] } });
    expect((await service.send(computer.actor, query, { refs })).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    const { accounts } = await world.desired(computer);
    expect(accounts?.flatMap(({ grants }) => grants.map((grant) => grant['grantId']))).toEqual([onDevice]);
    expect(await world.report(computer, [{ grantId: id, state: 'DISABLED', endReason: 'EXPIRED' }])).toMatchObject({
      __typename: 'InvalidInput',
    });
    expect(await stateOf(id)).toBe('ACTIVE');
  });

  test('has a record that is verified without us', async () => {
    const dora = await senior('dora4@example.com');
    const eve = await senior('eve4@example.com');
    const request = await desk.ask(dora, desk.input({ roleName: 'Security Administrator', reason: 'Incident', ticket: 'T-1' }));
    const id = idOf(request);
    await desk.approve(eve, request, { sessionSeconds: 1200 });
    service.clock.advance(30);
    await desk.report(id, 'ACTIVE', { accountName: 'jit-dora@contoso.example' });
    service.clock.advance(60);
    await change('shortenGrant', { id, expiresAt: inSeconds(600) }, administrator());
    await change('endGrant', { id }, dora.actor);
    await desk.report(id, 'ENDED');
    const answer = await world.ask(dora.actor, 'query ($id: ID!) { grant(id: $id) { evidence { json sha256 } } }', { id });
    const evidence = answer['evidence'] as { json: string; sha256: string };
    expect(JSON.parse(evidence.json)).toMatchObject({
      format: 'stint-entra-evidence/1',
      grant: { id, state: 'ENDED', accountName: 'jit-dora@contoso.example', approvedSeconds: 1200 },
      asked: { roleName: 'Security Administrator', scope: '/', accountKind: 'JIT', tenantName: customer.name },
      rule: { name: 'Two people', approvals: 1 },
      session: { endReason: 'REVOKED', endedBy: { id: dora.actor.id } },
    });
    const verdict = await verifyEvidence(evidence.json, { origin: 'https://stint.example' });
    expect(verdict).toMatchObject({ intact: true, sha256: evidence.sha256, grantId: id, wrong: [] });
    expect(verdict.proved).toHaveLength(2);
    const forged = evidence.json.replaceAll('Security Administrator', 'Global Administrator');
    expect((await verifyEvidence(forged)).intact).toBe(false);
  });

  test('goes whole when it is over for longer than audit events are kept, and requests without one too', async () => {
    const retentions = new AuditRetentionSweep(new SettingsRepository());
    while ((await service.system.asSystem((tx) => retentions.run(tx))) > 0);
    const dora = await senior('dora5@example.com');
    const eve = await senior('eve5@example.com');
    const ask = () => desk.ask(dora, desk.input({ roleName: 'Security Administrator' }));
    const [request, open, denied] = [await ask(), await ask(), idOf(await ask())];
    for (const one of [request, open]) await desk.approve(eve, one);
    await world.mutate(eve.actor, 'denyAccess', '... on AccessRequest { id }', { id: denied, reason: 'No.' });
    const [over, live] = [idOf(request), idOf(open)];
    for (const id of [over, live]) await desk.report(id, 'ACTIVE');
    await change('extendGrant', { id: newId(), grantId: over, seconds: 60 }, dora.actor);
    await change('shortenGrant', { id: over, expiresAt: inSeconds(60) }, administrator());
    await change('endGrant', { id: over }, dora.actor);
    await desk.report(over, 'ENDED');
    const back = `- interval '401 days'`;
    const ids = [over, live, denied];
    await service.rows(
      `update jit_grant set approved_at = approved_at ${back}, activate_by = activate_by ${back}, ended_at = ended_at ${back} where id = any($1)`,
      [ids],
    );
    await service.rows(`update access_request set requested_at = requested_at ${back}, ended_at = ended_at ${back} where id = any($1)`, [
      ids,
    ]);
    const sweep = new EntraRetentionSweep(new EntraRetentionRepository());
    expect(await service.system.asSystem((tx) => sweep.run(tx, service.clock.now()))).toBe(2);
    expect(await service.system.asSystem((tx) => sweep.run(tx, service.clock.now()))).toBe(0);
    expect(await service.rows('select id from jit_grant where id = any($1)', [ids])).toEqual([{ id: live }]);
    expect(await service.rows('select id from access_request where id = any($1)', [ids])).toEqual([{ id: live }]);
  });
});
