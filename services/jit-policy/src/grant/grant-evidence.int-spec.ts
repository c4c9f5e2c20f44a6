import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import type { Actor, LoginApprovalContent, Payload } from '@stint/contracts';
import { verifyEvidence, type EvidenceContent } from '@stint/evidence';
import type { PasskeyEmulator } from '@stint/passkey-emulator';
import { codeOf, idOf, technicianActor, World, type Computer, type StartedLogin, type Technician } from '../testing/world.ts';
import { TestJitPolicy } from '../testing/test-jit-policy.ts';

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
let anna: Technician;
let bert: Technician;
let annasPhone: PasskeyEmulator;
let bertsPhone: PasskeyEmulator;
let computer: Computer;
const origin = 'https://stint.example';

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  anna = await world.technician(msp);
  bert = await world.technician(msp, 'TECHNICIAN', { email: 'bert@example.com', displayName: 'Bert' });
  [annasPhone, bertsPhone] = [await world.phone(anna), await world.phone(bert)];
  await service.settled();
  await world.rule(customer, { name: 'Careful', deviceTags: ['careful'], approvals: 1, maxSeconds: 7200 });
});
beforeEach(async () => {
  computer = await world.computer(customer);
  await service.settled();
});
afterAll(() => service.close());

const inSeconds = (seconds: number) => new Date(service.clock.now().getTime() + seconds * 1000).toISOString();
const query = 'query ($id: ID!) { grant(id: $id) { evidence { json sha256 } } }';

interface Exported {
  json: string;
  sha256: string;
  content: EvidenceContent;
}

async function evidence(id: Id, by: Actor = anna.actor): Promise<Exported> {
  const { json, sha256 } = (await world.ask(by, query, { id }))['evidence'] as { json: string; sha256: string };
  return { json, sha256, content: JSON.parse(json) as EvidenceContent };
}

/** Anna's login at the computer, approved by her passkey and active. */
async function active(
  choice: { reason?: string; ticket?: string; sessionSeconds?: number } = {},
): Promise<{ id: Id; login: StartedLogin }> {
  const login = await world.start(computer);
  const { sessionSeconds, ...words } = choice;
  const signed = { ...words, ...(sessionSeconds !== undefined && { durationSeconds: sessionSeconds }) };
  const approved = await world.approveBy(annasPhone, anna, login, choice, signed);
  const id = idOf(approved['grant']);
  await world.report(computer, [{ grantId: id, state: 'ACTIVE', secondsAgo: 0 }]);
  return { id, login };
}

describe('the record of a grant', () => {
  test('tells its whole life, and is verified without us', async () => {
    const { id, login } = await active({ reason: 'Printer', ticket: 'T-1', sessionSeconds: 600 });
    const began = inSeconds(0);
    const extension = newId();
    await world.mutate(anna.actor, 'extendGrant', '... on Grant { __typename }', { id: extension, grantId: id, seconds: 900 });
    const administrator = technicianActor(msp, 'ADMINISTRATOR', bert.actor.id);
    await world.mutate(administrator, 'shortenGrant', '... on Grant { __typename }', { id, expiresAt: inSeconds(1200) });
    service.clock.advance(300);
    await world.mutate(administrator, 'endGrant', '... on Grant { __typename }', { id });
    service.clock.advance(10);
    const privileged = [{ groupName: 'sudo', added: ['mallory'], removed: [] }];
    await world.report(computer, [{ grantId: id, state: 'DISABLED', secondsAgo: 7, privileged }]);

    const { json, sha256, content } = await evidence(id);
    const person = { displayName: 'Anna Berg', email: 'anna.berg@example.com' };
    expect(content).toMatchObject({
      grant: { id, state: 'ENDED', accountName: 'jit-annaberg', reason: 'Printer', ticket: 'T-1', approvedSeconds: 600 },
      technician: { id: anna.actor.id, ...person },
      tenant: { id: customer.tenantId, name: 'Contoso Dental' },
      device: { id: computer.actor.id, hostName: 'ws-07' },
      login: { id: login.id, method: 'QR', shownNumber: login.content.shownNumber, hostName: 'ws-07', tenantName: 'Contoso Dental' },
      rule: { name: 'Technicians: local administrator', maxSeconds: 28_800, approvals: 0, approverGroupId: null },
      approval: { by: 'passkey', passkeyId: annasPhone.passkeys[0]?.credentialId },
      secondApprovals: [],
      session: {
        ...{ activeAt: began, endingAt: inSeconds(-10), endedAt: inSeconds(-7), endReason: 'REVOKED', failure: null, idleEndSeconds: 600 },
        endedBy: { kind: 'technician', id: bert.actor.id, displayName: 'Bert' },
      },
      changes: [
        { id: extension, seconds: 900, at: began, by: { id: anna.actor.id, displayName: 'Anna Berg' } },
        { seconds: -300, at: began, by: { id: bert.actor.id, displayName: 'Bert' } },
      ],
      privilegedChanges: privileged,
    });
    expect(createHash('sha256').update(json).digest('hex')).toBe(sha256);
    const verdict = await verifyEvidence(json, { origin });
    expect(verdict).toMatchObject({ intact: true, sha256, grantId: id, wrong: [] });
    expect(verdict.proved).toEqual([expect.stringContaining('recorded as that of Anna Berg <anna.berg@example.com>, signed exactly this')]);
    expect(verdict.noticed).toEqual(['The group sudo changed while the session lasted: added mallory']);
    expect(await evidence(id)).toEqual({ json, sha256, content });
  });

  test('holds the approvals of other people, each as they signed it', async () => {
    computer = await world.computer(customer, { tags: ['careful'] });
    await service.settled();
    const login = await world.start(computer);
    await world.approveBy(annasPhone, anna, login);
    const id = await world.requestOf(anna, login);
    const content: LoginApprovalContent = {
      ...{ ...login.content, purpose: 'second-approval', technicianId: anna.actor.id, accountKind: 'LOCAL' },
      durationSeconds: 900,
    };
    const assertion = await world.assertion(bertsPhone, content);
    await world.mutate(bert.actor, 'approveAccess', '... on AccessRequest { __typename state }', { id, sessionSeconds: 900, assertion });
    const grantId = idOf((await world.login(anna.actor, login.id))['grant']);
    const { json, content: record } = await evidence(grantId);
    expect(record).toMatchObject({
      grant: { approvedSeconds: 900 },
      rule: { name: 'Careful', approvals: 1, maxSeconds: 7200 },
      secondApprovals: [{ approver: { displayName: 'Bert' }, sessionSeconds: 900, proof: { by: 'passkey', content } }],
    });
    const verdict = await verifyEvidence(json, { origin });
    expect(verdict).toMatchObject({ intact: true, wrong: [] });
    expect(verdict.proved).toHaveLength(2);
    // What Bert shortened, Anna does not lengthen.
    await world.report(computer, [{ grantId, state: 'ACTIVE', secondsAgo: 0 }]);
    expect(
      await world.mutate(anna.actor, 'extendGrant', '... on Grant { __typename }', { id: newId(), grantId, seconds: 60 }),
    ).toMatchObject({ __typename: 'Conflict' });
  });

  test('changed in any row shows', async () => {
    const { id } = await active({ reason: 'Printer' });
    await service.rows('update jit_grant set reason = $2 where id = $1', [id, 'Server room']);
    expect((await verifyEvidence((await evidence(id)).json)).wrong).toEqual([
      "The technician's own approval is over another reason than the record tells.",
    ]);
  });

  test('by an authenticator app says that nothing is signed', async () => {
    const totpLogin = { tenantId: customer.tenantId, totpLogin: true };
    await world.mutate(technicianActor(msp, 'ADMINISTRATOR'), 'updateJitSettings', '... on Tenant { __typename }', totpLogin);
    const login = await world.start(computer, 'TOTP');
    const { mspId, tenantId } = customer;
    const ids = { loginRequestId: login.id, deviceId: computer.actor.id, technicianId: anna.actor.id };
    await service.tell('totp-accepted', { mspId, tenantId, ...ids });
    await service.settled();
    const { json, content } = await evidence(idOf((await world.login(anna.actor, login.id))['grant']));
    expect(content.approval).toEqual({ by: 'unsigned' });
    expect(await verifyEvidence(json)).toMatchObject({ intact: true, proved: [] });
  });

  test('is read by its technician, and by whoever may read grants there, with the names of people above their reach', async () => {
    const { id } = await active();
    const own = { ...anna.actor, access: [{ tenantId: msp.tenantId, permissions: ['login.approve'] }] } as never;
    const mine = await service.send(
      own,
      'query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Technician { grants(first: 1) { edges { node { id evidence { sha256 } } } } } } }',
      { refs: [{ __typename: 'Technician', id: anna.actor.id }] },
    );
    expect(JSON.stringify(mine.data)).toContain(id);
    expect(mine.errors).toBeUndefined();
    const auditor = technicianActor(customer, 'AUDITOR');
    expect((await evidence(id, auditor)).content.technician.displayName).toBe('Anna Berg');
    const elsewhere = technicianActor(await world.tenant(msp, 'Fabrikam'), 'AUDITOR');
    const foreign = technicianActor(await world.tenant(null, 'Other MSP'), 'ADMINISTRATOR');
    await service.settled();
    for (const actor of [elsewhere, foreign]) expect(codeOf(await service.send(actor, query, { id }))).toBe('NOT_FOUND');
    expect(codeOf(await service.send(computer.actor, query, { id }))).toBe('FORBIDDEN');
  });
});
