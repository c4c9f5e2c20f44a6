import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Actor, Principal, Role } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { connectBroadcast, type Broadcast } from '@stint/messaging';
import { eventually } from '@stint/testing';
import { createTenant, joinFirst, only, problem, startTestTenants, technician, type TestTenants } from '../test-tenants.support.ts';

const gateway: Principal = { kind: 'gateway' };
let tenants: TestTenants;
let mspId: Id;
let administrator: Actor;
let contoso: Id;
let fabrikam: Id;
let broadcast: Broadcast;
const heard: string[] = [];

beforeAll(async () => {
  tenants = await startTestTenants();
  ({ mspId, administrator } = await joinFirst(tenants));
  contoso = await createTenant(tenants, administrator, 'Contoso');
  fabrikam = await createTenant(tenants, administrator, 'Fabrikam');
  broadcast = await connectBroadcast(tenants.queueUrl, () => undefined);
  broadcast.subscribe('credential-revoked', (body) => heard.push(body));
});
afterAll(async () => {
  await broadcast.close();
  await tenants.close();
});

const secret = () => randomBytes(32).toString('base64url');
const later = (seconds: number) => new Date(tenants.clock.now().getTime() + seconds * 1000).toISOString();

async function invited(tenantId: Id): Promise<Id> {
  const input = { id: newId(), tenantId, email: `${newId()}@example.com`, roles: ['TECHNICIAN'] };
  await tenants.send(administrator, `mutation ($input: InviteTechnicianInput!) { inviteTechnician(input: $input) { ${problem} } }`, {
    input,
  });
  return input.id;
}
async function session(technicianId: Id, changes: object = {}): Promise<Id> {
  const input = {
    ...{ id: newId(), technicianId, client: 'stint-cli', userAgent: 'Firefox\u001b[31m', signedInBy: 'PASSKEY' },
    ...{ payload: '{"kind":"Grant"}', expiresAt: later(3600), ...changes },
  };
  const started = await tenants.send(gateway, `mutation ($input: StartSessionInput!) { startSession(input: $input) { ${problem} } }`, {
    input,
  });
  return only(started).__typename === 'SignInSession' ? input.id : only(started).__typename;
}
const put = async (input: object) =>
  (
    await tenants.send(gateway, 'mutation ($input: PutSignInArtefactInput!) { putSignInArtefact(input: $input) }', {
      input: { expiresAt: later(600), payload: '{}', ...input },
    })
  ).data?.['putSignInArtefact'] as unknown;
const use = async (model: string, id: string) =>
  (await tenants.send(gateway, 'mutation ($input: SignInArtefactInput!) { useSignInArtefact(input: $input) }', { input: { model, id } }))
    .data?.['useSignInArtefact'] as unknown;
const find = async (model: string, id: string) =>
  (
    await tenants.send(
      gateway,
      'query ($model: SignInArtefactModel!, $id: String!) { signInArtefact(model: $model, id: $id) { payload used } }',
      {
        ...{ model, id },
      },
    )
  ).data?.['signInArtefact'] as unknown as { payload: string; used: boolean } | null;
const lives = async (id: Id) =>
  (await tenants.send(gateway, 'query ($id: ID!) { sessionPayload(id: $id) }', { id })).data?.['sessionPayload'] !== null;
const revoke = async (caller: Principal, id: Id) =>
  only(
    await tenants.send(caller, `mutation ($input: RevokeSessionInput!) { revokeSession(input: $input) { ${problem} } }`, { input: { id } }),
  ).__typename;

describe('an artefact', () => {
  test('comes back as it was, and neither its id nor the id in its payload is at rest', async () => {
    const id = secret();
    await put({ model: 'INTERACTION', id, payload: JSON.stringify({ jti: id, returnTo: `https://stint.example/${id}` }) });
    expect(JSON.parse((await find('INTERACTION', id))?.payload ?? '')).toEqual({ jti: id, returnTo: `https://stint.example/${id}` });
    const rows = await tenants.database.query<{ row: string }>('select sign_in_artefact::text as row from tenants.sign_in_artefact');
    expect(rows.length).toBeGreaterThan(0);
    for (const { row } of rows) expect(row).not.toContain(id);
  });

  test('is found until its end, by its kind alone, and gone once removed', async () => {
    const [short, removed] = [secret(), secret()];
    await put({ model: 'INTERACTION', id: short, expiresAt: later(-1) });
    await put({ model: 'INTERACTION', id: removed });
    expect([await find('INTERACTION', short), await find('REFRESH_TOKEN', removed)]).toEqual([null, null]);
    const input = { model: 'INTERACTION', id: removed };
    await tenants.send(gateway, 'mutation ($input: SignInArtefactInput!) { removeSignInArtefact(input: $input) }', { input });
    expect(await find('INTERACTION', removed)).toBeNull();
  });

  test('tries to sign in are counted one by one, also at once', async () => {
    const id = secret();
    await put({ model: 'INTERACTION', id });
    const count = () => tenants.send(gateway, 'mutation ($id: String!) { countSignInTry(id: $id) }', { id });
    const counted = await Promise.all(Array.from({ length: 10 }, count));
    expect(counted.map(({ data }) => Number(data?.['countSignInTry'])).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test.each<[string, Principal]>([
    ['anonymous callers', { kind: 'anonymous' }],
    ['technicians', technician(newId())],
  ])('is not for %s', async (_name, caller) => {
    const answer = await tenants.send(caller, '{ signInArtefact(model: INTERACTION, id: "x") { payload } }');
    expect(answer.errors?.[0]?.extensions.code).toMatch(/FORBIDDEN|UNAUTHENTICATED/);
  });
});

describe('a code or refresh token used twice', () => {
  test.each(['AUTHORIZATION_CODE', 'REFRESH_TOKEN'])('%s: of ten uses at once one wins, and the session ends', async (model) => {
    const sessionId = await session(administrator.id);
    const [id, next] = [secret(), secret()];
    await put({ model, id, sessionId, rotation: 0 });
    if (model === 'REFRESH_TOKEN') {
      // Its successor was used: the answer cannot have been lost.
      expect(await use(model, id)).toBe(true);
      await put({ model, id: next, sessionId, rotation: 1 });
      expect([await use(model, next), (await find(model, id))?.used, await use(model, id)]).toEqual([true, true, false]);
    } else {
      const uses = await Promise.all(Array.from({ length: 10 }, () => use(model, id)));
      expect(uses.filter((one) => one === true)).toHaveLength(1);
    }
    expect([await lives(sessionId), await find(model, next), await put({ model, id: secret(), sessionId })]).toEqual([false, null, false]);
    await eventually(() => expect(heard).toContain(`session:${sessionId}`));
  });

  test('a refresh whose answer was lost may be repeated; the lost token then counts as stolen', async () => {
    const sessionId = await session(administrator.id);
    const [first, lost, second] = [secret(), secret(), secret()];
    await put({ model: 'REFRESH_TOKEN', id: first, sessionId, rotation: 0 });
    expect(await use('REFRESH_TOKEN', first)).toBe(true);
    await put({ model: 'REFRESH_TOKEN', id: lost, sessionId, rotation: 1 });
    expect([(await find('REFRESH_TOKEN', first))?.used, await use('REFRESH_TOKEN', first)]).toEqual([false, true]);
    await put({ model: 'REFRESH_TOKEN', id: second, sessionId, rotation: 1 });
    expect([(await find('REFRESH_TOKEN', second))?.used, (await find('REFRESH_TOKEN', lost))?.used]).toEqual([false, true]);
    expect([await use('REFRESH_TOKEN', lost), await lives(sessionId)]).toEqual([false, false]);
  });
});

describe('a session', () => {
  test('is seen by its owner and by who administers them, by nobody else', async () => {
    const anna = await invited(contoso);
    const id = await session(anna);
    const seenBy = async (caller: Principal) =>
      (
        (await tenants.send(caller, 'query ($id: ID!) { technician(id: $id) { sessions { id client userAgent current } } }', { id: anna }))
          .data?.['technician'] as { sessions: object[] } | null | undefined
      )?.sessions;
    const expected = { id, client: 'stint-cli', userAgent: 'Firefox[31m', current: false };
    expect(await seenBy(administrator)).toEqual([expected]);
    expect(await seenBy(technician(mspId, contoso, 'AUDITOR'))).toEqual([]);
    expect(await seenBy(technician(mspId, fabrikam))).toBeUndefined();
    const self = { ...technician(mspId, contoso, 'HELPDESK', anna), sessionId: id } as Principal;
    const own = (await tenants.send(self, '{ viewer { sessions { id current } } }')).data?.['viewer'];
    expect(own).toEqual({ sessions: [{ id, current: true }] });
  });

  test.each<[string, () => { tenantId: Id; role: Role; own: boolean }, string]>([
    ['its owner', () => ({ tenantId: contoso, role: 'HELPDESK', own: true }), 'SignInSession'],
    ['an administrator above', () => ({ tenantId: mspId, role: 'ADMINISTRATOR', own: false }), 'SignInSession'],
    ['an administrator beside', () => ({ tenantId: fabrikam, role: 'ADMINISTRATOR', own: false }), 'NotFound'],
    ['a colleague', () => ({ tenantId: contoso, role: 'TECHNICIAN', own: false }), 'NotFound'],
  ])('revoked by %s', async (_name, who, expected) => {
    const { tenantId, role, own } = who();
    const anna = await invited(contoso);
    const id = await session(anna);
    expect(await revoke(technician(mspId, tenantId, role, own ? anna : newId()), id)).toBe(expected);
    expect(await lives(id)).toBe(expected === 'NotFound');
    if (expected === 'SignInSession') await eventually(() => expect(heard).toContain(`session:${id}`));
  });

  test('ends with its technician, who begins no other while switched off', async () => {
    const anna = await invited(contoso);
    const id = await session(anna);
    const input = { id: anna, active: false };
    await tenants.send(administrator, `mutation ($input: UpdateTechnicianInput!) { updateTechnician(input: $input) { ${problem} } }`, {
      input,
    });
    expect([await lives(id), await session(anna)]).toEqual([false, 'Conflict']);
  });

  test('of another MSP is not found', async () => {
    expect(await revoke(technician(newId()), await session(administrator.id))).toBe('NotFound');
  });

  test('that is over is refused, and swept', async () => {
    const id = await session(administrator.id, { expiresAt: later(-1) });
    expect(await lives(id)).toBe(false);
    expect(await revoke(administrator, id)).toBe('NotFound');
  });
});
