import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { generateHpkeKeyPair, lapsSealing, openSealed } from '@stint/crypto';
import { newId, type Id } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { usualPolicy } from '../testing/break-glass-vault.ts';
import { TestEntraConnector } from '../testing/test-entra-connector.ts';
import { World, type Connected, type Thing } from '../testing/world.ts';

let service: TestEntraConnector;
let world: World;
let customer: Connected;
beforeAll(async () => {
  service = await TestEntraConnector.start();
  world = new World(service);
});
afterAll(() => service.close());
beforeEach(async () => {
  customer = await world.connected();
});

const findingFields = 'objectId userPrincipalName displayName enabled roles groups synced federated guest ours obstacles digest';
async function look(account: string, by = customer.administrator): Promise<Thing> {
  const query = `query ($input: EntraBreakGlassFindingInput!) { answer: entraBreakGlassFinding(input: $input) {
    __typename ... on Problem { message } ... on EntraBreakGlassFinding { ${findingFields} } } }`;
  const { data, errors } = await service.send(by, query, { input: { tenantId: customer.tenant.tenantId, account } });
  if (errors !== undefined) throw Object.assign(new Error(JSON.stringify(errors)), { code: errors[0]?.extensions.code });
  return data?.['answer'] as Thing;
}
const fields = '... on EntraBreakGlassAccount { id objectId userPrincipalName registered problem tampered }';
const register = (finding: Thing, by = customer.administrator, change: object = {}) =>
  world.mutate(by, 'registerEntraBreakGlassAccount', fields, {
    ...{ id: newId(), tenantId: customer.tenant.tenantId, objectId: finding['objectId'], digest: finding['digest'], ...change },
  });
const remove = (id: unknown, by = customer.administrator) =>
  world.mutate(by, 'removeEntraBreakGlassAccount', fields, { id, reason: 'Moved to another tenant' });
const listed = async (by = customer.administrator): Promise<Thing[]> => {
  const query = `query ($id: ID!) { _entities(representations: [{ __typename: "Tenant", id: $id }]) { ... on Tenant { entraBreakGlassAccounts {
    __typename id userPrincipalName problem tampered } } } }`;
  const { data, errors } = await service.send(by, query, { id: customer.tenant.tenantId });
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return (data?.['_entities'] as { entraBreakGlassAccounts: Thing[] }[])[0]?.entraBreakGlassAccounts ?? [];
};

/** An administrator for emergencies, as customers have them. */
function administratorOf({ entra }: Connected, name = 'emergency-1') {
  const user = entra.addUser({ userPrincipalName: `${name}@${entra.initialDomain}`, displayName: 'Emergency', mfaRegistered: true });
  entra.assignRole(user.id, 'Global Administrator');
  entra.addGroup({ displayName: 'Excluded from Conditional Access', members: [user.id] });
  return user;
}

describe('registering a break-glass account', () => {
  test('shows what it is, takes a yes to exactly that, tells the vault, and protects it', async () => {
    const user = administratorOf(customer);
    const finding = await look(user.userPrincipalName.toUpperCase());
    expect(finding).toMatchObject({
      ...{ __typename: 'EntraBreakGlassFinding', objectId: user.id, displayName: 'Emergency', enabled: true, obstacles: [] },
      ...{ roles: ['Global Administrator'], groups: ['Excluded from Conditional Access'], synced: false, federated: false, ours: false },
    });
    const account = await register(finding);
    expect(account).toMatchObject({ __typename: 'EntraBreakGlassAccount', objectId: user.id, registered: true });
    expect(await register(finding)).toMatchObject({ id: account['id'] });
    expect(await listed()).toMatchObject([{ id: account['id'], userPrincipalName: user.userPrincipalName }]);
    await eventually(() =>
      expect(service.others.received('entra-break-glass-changed')).toContainEqual(
        expect.objectContaining({ accountId: account['id'], userPrincipalName: user.userPrincipalName, registered: true }),
      ),
    );
    const event = await service.audited('entra-break-glass.registered', account['id'] as Id);
    expect(event).toMatchObject({ actorId: customer.administrator.id, details: { objectId: user.id, roles: 'Global Administrator' } });
    expect(await service.rows('select why from protected_account where object_id = $1', [user.id])).toEqual([
      { why: 'it is a break-glass account' },
    ]);
  });

  test('is a conflict when the account is not as it was shown', async () => {
    const user = administratorOf(customer);
    const finding = await look(user.id);
    customer.entra.assignRole(user.id, 'Security Administrator');
    expect(await register(finding)).toMatchObject({ __typename: 'Conflict' });
  });

  test.each<[string, (connected: Connected) => string, string]>([
    ['nobody', () => newId(), 'There is no such account'],
    ['a guest', ({ entra }) => entra.addUser({ userType: 'Guest' }).id, 'guest'],
  ])('refuses %s', async (_, make, why) => {
    const finding = await look(make(customer));
    const refused = finding.__typename === 'EntraAccountUnfit' ? finding : await register(finding);
    expect(refused).toMatchObject({ __typename: 'EntraAccountUnfit', message: expect.stringContaining(why) });
  });

  test('takes two and no third; one that was removed makes room, and has its id again later', async () => {
    const [first, second, third] = ['emergency-1', 'emergency-2', 'emergency-3'].map((name) => administratorOf(customer, name));
    const one = await register(await look(first?.id ?? ''));
    await register(await look(second?.id ?? ''));
    expect(await register(await look(third?.id ?? ''))).toMatchObject({
      __typename: 'EntraAccountUnfit',
      message: expect.stringContaining('2'),
    });
    expect(await remove(one['id'])).toMatchObject({ id: one['id'], registered: false });
    expect(await remove(one['id'])).toMatchObject({ registered: false });
    expect(await service.rows('select 1 from protected_account where object_id = $1', [first?.id])).toEqual([]);
    await service.audited('entra-break-glass.removed', one['id'] as Id);
    const again = await register(await look(first?.id ?? ''));
    expect(again).toMatchObject({ id: one['id'], registered: true });
    expect(await listed()).toHaveLength(2);
  });

  test('needs both permissions, and is nothing for another MSP', async () => {
    const user = administratorOf(customer);
    const finding = await look(user.id);
    const halfway = { ...customer.administrator, access: [{ tenantId: customer.tenant.mspId, permissions: ['entra.manage' as const] }] };
    expect(await register(finding, halfway)).toMatchObject({ __typename: 'NotFound' });
    const technician = await world.technician(customer.tenant, 'TECHNICIAN');
    await expect(register(finding, technician)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const account = await register(finding);
    const stranger = (await world.connected()).administrator;
    expect(await look(user.id, stranger)).toMatchObject({ __typename: 'NotFound' });
    expect(await register(finding, stranger)).toMatchObject({ __typename: 'NotFound' });
    expect(await remove(account['id'], stranger)).toMatchObject({ __typename: 'NotFound' });
    await expect(listed(stranger)).rejects.toThrow('NOT_FOUND');
  });
});

describe('a change of its password', () => {
  test('is escrowed, set, read back and confirmed; then it signs in; another hand is told', async () => {
    const user = administratorOf(customer);
    service.clock.advance(60);
    const { id } = await register(await look(user.id));
    const { publicKey, privateKey } = await generateHpkeKeyPair();
    const { mspId, tenantId } = customer.tenant;
    const accountId = id as Id;
    await service.tell('entra-rotation-due', {
      mspId,
      tenantId,
      accountId,
      fence: 0,
      vaultKey: { id: newId(), publicKey },
      policy: usualPolicy,
    });
    const offer = await eventually(() => {
      const found = service.others.received('entra-rotation-escrowed').find((one) => one.accountId === accountId);
      if (found === undefined) throw new Error('Nothing was escrowed.');
      return found;
    });
    const { info, aad } = lapsSealing.escrow;
    const password = (await openSealed({ privateKey, info, aad: aad(tenantId, accountId, offer.versionId) }, offer)).toString();
    expect(customer.entra.signIn({ upn: user.userPrincipalName, password }).signedIn).toBe(false);
    await service.tell('entra-rotation-answered', { mspId, tenantId, accountId, versionId: offer.versionId, taken: true, fence: 1 });
    await eventually(() =>
      expect(service.others.received('entra-rotation-confirmed')).toContainEqual(expect.objectContaining({ versionId: offer.versionId })),
    );
    expect(customer.entra.signIn({ upn: user.userPrincipalName, password }).signedIn).toBe(true);
    expect(await service.rows('select 1 from break_glass_candidate where account_id = $1', [accountId])).toEqual([]);
    const dump =
      JSON.stringify(await service.rows('select * from break_glass_account')) + JSON.stringify(service.others.received('audit-recorded'));
    expect(dump).not.toContain(password);
    service.clock.advance(60);
    // Somebody else changes it: told once, without the password.
    customer.entra.changeUser(user.id, { password: 'Theirs-1234567890', lastPasswordChangeDateTime: service.clock.now().toISOString() });
    service.clock.advance(3_700);
    await service.audited('laps.tampered', accountId);
    expect(await listed()).toMatchObject([{ tampered: true }]);
  });
});
