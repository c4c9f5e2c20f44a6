import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Actor, Payload } from '@stint/contracts';
import { generateHpkeKeyPair, openEntraCredential } from '@stint/crypto';
import { addSeconds, newId, type Id } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { TestEntraConnector } from '../testing/test-entra-connector.ts';
import { World, type Connected } from '../testing/world.ts';

let service: TestEntraConnector;
let world: World;
beforeAll(async () => {
  service = await TestEntraConnector.start();
  world = new World(service);
});
afterAll(() => service.close());

const fields = `entraCredential { kind accountId userPrincipalName enc ciphertext endsAt notice }
  entraAccess { phase accountName assignment exposure steps { kind outcome } }`;

interface Shown {
  entraCredential: { accountId: Id; userPrincipalName: string; enc: string; ciphertext: string } | null;
  entraAccess: { phase: string; exposure: string | null; steps: { kind: string; outcome: string }[] } | null;
}

async function shown(actor: Actor, id: Id, what = fields): Promise<Shown> {
  const query = `query ($id: ID!) { _entities(representations: [{ __typename: "Grant", id: $id }]) { ... on Grant { ${what} } } }`;
  const { data, errors } = await service.send(actor, query, { id });
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return (data?.['_entities'] as Shown[])[0] as Shown;
}

async function grantOf(connected: Connected, technician: Actor) {
  const key = await generateHpkeKeyPair();
  const told: Payload<'entra-grant-changed'> = {
    ...{ mspId: connected.tenant.mspId, tenantId: connected.tenant.tenantId, grantId: newId(), technicianId: technician.id, wanted: true },
    ...{
      roleName: 'User Administrator',
      scope: '/',
      accountKind: 'JIT',
      accountPrefix: 'jit-',
      accountRestDays: 30,
      recipientKey: key.publicKey,
      sessionSeconds: 3600,
      version: 1,
    },
    ...{ activateBy: addSeconds(service.clock.now(), 300).toISOString(), expiresAt: null },
  };
  await service.tell('entra-grant-changed', told);
  await reported(told.grantId, 'ACTIVE');
  return { key, told, id: told.grantId };
}

/** Waits for a report, and lets time pass meanwhile where that is said. */
async function reported(grantId: Id, state: string, secondsEachTry = 0): Promise<void> {
  await eventually(() => {
    service.clock.advance(secondsEachTry);
    const states = service.others.received('entra-grant-reported').filter((one) => one.grantId === grantId);
    if (states.at(-1)?.state !== state) throw new Error(`It is ${JSON.stringify(states)}.`);
  });
}

describe('the credential of a grant', () => {
  it('is collected by its technician alone, is renewed, and is gone when the session is over', async () => {
    const connected = await world.connected();
    const { tenant, entra, administrator } = connected;
    const msp = { ...tenant, tenantId: tenant.mspId, parentId: null, path: [tenant.mspId] };
    const technician = await world.technician(msp, 'TECHNICIAN');
    const { id, key, told } = await grantOf(connected, technician);

    expect((await shown(administrator, id)).entraCredential).toBeNull();
    const stranger = await world.technician(await world.tenant(null), 'ADMINISTRATOR');
    expect(await shown(stranger, id)).toEqual({ entraCredential: null, entraAccess: null });

    const { entraCredential, entraAccess } = await shown(technician, id);
    expect(entraAccess).toMatchObject({ phase: 'ACTIVE', assignment: 'SCHEDULE', exposure: null });
    expect(entraAccess?.steps.map(({ kind }) => kind)).toEqual(['CREATE_USER', 'ENABLE', 'ISSUE_CREDENTIAL', 'ASSIGN_ROLE']);
    if (entraCredential === null) throw new Error('There is no credential.');
    const upn = entraCredential.userPrincipalName;
    const reader = { tenantId: tenant.tenantId, grantId: id };
    const pass = await openEntraCredential({ ...reader, privateKey: key.privateKey }, entraCredential);
    expect(entra.signIn({ upn, pass })).toMatchObject({ signedIn: true });
    await service.audited('entra-access.credential-collected', id);

    const newKey = await generateHpkeKeyPair();
    const input = { grantId: id, recipientKey: newKey.publicKey };
    expect(await world.mutate(administrator, 'renewEntraCredential', '', input)).toMatchObject({ __typename: 'NotFound' });
    expect(await world.mutate(technician, 'renewEntraCredential', '', input)).toMatchObject({ __typename: 'Grant' });
    const renewed = await eventually(async () => {
      const { entraCredential: next } = await shown(technician, id);
      if (next === null) throw new Error('Not yet.');
      return next;
    });
    const newPass = await openEntraCredential({ ...reader, privateKey: newKey.privateKey }, renewed);
    expect(entra.signIn({ upn, pass })).toMatchObject({ signedIn: false });
    expect(entra.signIn({ upn, pass: newPass })).toMatchObject({ signedIn: true });

    await service.tell('entra-grant-changed', { ...told, wanted: false, version: 2 });
    await eventually(async () => expect((await shown(technician, id)).entraCredential).toBeNull());
    await reported(id, 'ENDED', 15);
    expect((await shown(technician, id)).entraAccess).toMatchObject({
      phase: 'ENDED',
      exposure: expect.stringContaining('an hour') as unknown,
    });
    expect(await world.mutate(technician, 'renewEntraCredential', '', input)).toMatchObject({ __typename: 'Conflict' });

    const query = `query ($id: ID!) { _entities(representations: [{ __typename: "Tenant", id: $id }]) { ... on Tenant {
      entraAccounts { edges { node { userPrincipalName state technician { id } } } } } } }`;
    const { data } = await service.send(administrator, query, { id: tenant.tenantId });
    expect(data?.['_entities']).toEqual([
      { entraAccounts: { edges: [{ node: { userPrincipalName: upn, state: 'DISABLED', technician: { id: technician.id } } }] } },
    ]);
    const plain = await service.rows<{ all: string }>(
      `select json_agg(g)::text || (select json_agg(s)::text from entra_step s) as all from entra_grant g`,
    );
    expect(plain[0]?.all).not.toContain(pass);
    expect(plain[0]?.all).not.toContain(newPass);
  });
});

describe('a connection that is ended', () => {
  it('takes its grants and accounts along first, and then forgets its credentials', async () => {
    const connected = await world.connected();
    const { tenant, entra, administrator } = connected;
    const { id } = await grantOf(connected, administrator);
    const { tenantId } = tenant;
    expect(await world.mutate(administrator, 'disconnectEntra', '... on EntraConnection { state remaining }', { tenantId })).toMatchObject({
      ...{ state: 'DISCONNECTING', remaining: 2 },
    });
    await eventually(() => expect(entra.users()).toMatchObject([{ accountEnabled: false }]));
    await reported(id, 'ENDED', 15);
    await service.audited('entra-connection.disconnected', tenantId);
    expect([...entra.users(), ...entra.deletedUsers()]).toEqual([]);
  });
});
