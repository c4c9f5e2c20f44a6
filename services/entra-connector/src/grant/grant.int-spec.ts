import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateHpkeKeyPair, openEntraCredential } from '@stint/crypto';
import { roleId } from '@stint/graph-emulator';
import { addSeconds, type Id } from '@stint/kernel';
import { EntraWorld } from '../testing/entra-world.ts';

let world: EntraWorld;
beforeAll(async () => {
  world = await EntraWorld.start();
});
afterAll(() => world.stop());

const states = async (grantId: Id) => (await world.reports(grantId)).map(({ state }) => state);
const why = async (grantId: Id) => (await world.reports(grantId)).at(-1)?.why;

/** A customer, a technician and an active grant. */
async function active(given: Parameters<EntraWorld['customer']>[0] = {}, wanted: Partial<Parameters<EntraWorld['want']>[0]> = {}) {
  const { tenantId, entra } = await world.customer(given);
  const technicianId = await world.technician();
  const told = await world.want({ tenantId, technicianId, ...wanted });
  await world.pass(10);
  const [report] = await world.reports(told.grantId);
  expect(report).toMatchObject({ state: 'ACTIVE' });
  const accountName = report?.accountName ?? '';
  return { tenantId, entra, technicianId, told, grantId: told.grantId, accountName, why: report?.why, user: entra.user(accountName) };
}

describe('a grant', () => {
  it('becomes an account with the role and a pass, and all of it goes away in time', async () => {
    const { entra, grantId, accountName, tenantId } = await active();
    const pass = await world.credential(grantId);
    const signedIn = entra.signIn({ upn: accountName, pass: pass ?? '' });
    expect(signedIn).toMatchObject({ signedIn: true, roleDefinitionIds: [roleId('User Administrator')] });
    const { activeAt } = await world.grant(grantId);
    await world.pass(3600);
    expect(world.leftovers(entra)).toEqual([]);
    expect(entra.signIn({ upn: accountName, pass: pass ?? '' })).toMatchObject({ signedIn: false, reason: 'DISABLED' });
    expect(await states(grantId)).toEqual(['ACTIVE', 'ENDED']);
    const { endedAt } = await world.grant(grantId);
    expect((endedAt?.getTime() ?? 0) - (activeAt?.getTime() ?? 0)).toBeLessThan(3660_000);
    expect((await world.audits(tenantId)).map(({ action }) => action)).toEqual([
      ...['entra-account.created', 'entra-account.enabled', 'entra-access.pass-issued', 'entra-access.given'],
      ...['entra-account.disabled', 'entra-access.removed'],
    ]);
    await world.retention();
    expect(world.leftovers(entra, true)).toEqual([]);
  });

  it('takes few requests of Microsoft, from asking to removal', async () => {
    const counted = () => world.graph.exchanges.filter(({ batched, url }) => !batched && url.startsWith('/v1.0')).length;
    const { tenantId, entra } = await world.customer({ licences: 'FREE' });
    const technicianId = await world.technician();
    const round = async () => {
      const before = counted();
      await world.want({ tenantId, technicianId });
      await world.pass(10);
      const given = counted();
      await world.pass(3600);
      expect(world.leftovers(entra)).toEqual([]);
      return { given: given - before, taken: counted() - given };
    };
    // The first look, what the tenant is like (kept for five minutes), five changes, the look that proves it; then the same backwards.
    expect(await round()).toEqual({ given: 12, taken: 11 });
  });

  it('ends by itself in Entra where licensed, though nobody is there any more', async () => {
    const { entra, user } = await active();
    world.clock.advance(3601);
    expect(entra.roleAssignments(user?.id)).toEqual([]);
  });

  it("ends by Stint's hand without that licence", async () => {
    const { entra, grantId } = await active({ licences: 'FREE' });
    expect(await world.grant(grantId)).toMatchObject({ assignmentKind: 'LEASE' });
    await world.pass(3600);
    expect(world.leftovers(entra)).toEqual([]);
    expect(await states(grantId)).toEqual(['ACTIVE', 'ENDED']);
  });

  it("is extended and shortened, and Entra's own end with it", async () => {
    const { entra, told, grantId, user } = await active();
    const expiresAt = addSeconds(world.clock.now(), 7200);
    await world.want({ ...told, expiresAt: expiresAt.toISOString() });
    await world.pass(5);
    expect(entra.roleAssignments(user?.id)[0]?.endsAt).toBe(expiresAt.toISOString().replace('.000Z', 'Z'));
    await world.pass(3700);
    expect(await states(grantId)).toEqual(['ACTIVE']);
    await world.want({ ...told, expiresAt: addSeconds(world.clock.now(), 5).toISOString() });
    await world.pass(10);
    expect(world.leftovers(entra)).toEqual([]);
    expect(await states(grantId)).toEqual(['ACTIVE', 'ENDED']);
  });

  it("tells the customer's own log why and for which ticket, where its rules can demand both", async () => {
    const demanded = { pimPolicy: { justificationRequired: true, ticketRequired: true } };
    const { entra, told, grantId, user } = await active(demanded, { reason: 'A new mailbox', ticket: 'T-4711' });
    await world.want({ ...told, expiresAt: addSeconds(world.clock.now(), 7200).toISOString() });
    await world.pass(5);
    const shown = { justification: `A new mailbox (Stint grant ${grantId})`, ticketNumber: 'T-4711', ticketSystem: 'Stint' };
    expect(entra.roleRequests(user?.id ?? '')).toMatchObject([
      { action: 'adminAssign', ...shown },
      { action: 'adminUpdate', ...shown },
    ]);
    await world.want({ ...told, wanted: false });
    await world.pass(600);
    expect(world.leftovers(entra)).toEqual([]);
    expect(entra.roleRequests(user?.id ?? '').at(-1)).toMatchObject({ action: 'adminRemove', ...shown });
  });

  it('without either is given where nothing is demanded, and says what is missing where it is', async () => {
    const { entra, grantId, user } = await active();
    expect(entra.roleRequests(user?.id ?? '')).toMatchObject([{ justification: `Stint grant ${grantId}`, ticketNumber: null }]);
    const { tenantId } = await world.customer({ pimPolicy: { ticketRequired: true } });
    const { grantId: refused } = await world.want({ tenantId, technicianId: await world.technician(), reason: 'A new mailbox' });
    await world.pass(10);
    expect(await states(refused)).toEqual(['FAILED']);
    expect(await why(refused)).toContain('demands a ticket');
  });

  it('called off at once is disabled at once, and its role taken as soon as Entra lets it go', async () => {
    const { entra, told, grantId, user } = await active();
    await world.want({ ...told, wanted: false });
    await world.pass(5);
    expect(entra.user(user?.id ?? '')?.accountEnabled).toBe(false);
    expect(entra.passes(user?.id ?? '')).toEqual([]);
    expect(await states(grantId)).toEqual(['ACTIVE']);
    await world.pass(400);
    expect(world.leftovers(entra)).toEqual([]);
    expect((await states(grantId)).at(-1)).toBe('ENDED');
  });

  it('uses the account of before again, with a new pass', async () => {
    const first = await active();
    const pass = await world.credential(first.grantId);
    await world.pass(3600);
    const { technicianId, tenantId, entra } = first;
    const { grantId } = await world.want({ tenantId, technicianId });
    await world.pass(10);
    expect((await world.reports(grantId))[0]?.accountName).toBe(first.accountName);
    expect(entra.signIn({ upn: first.accountName, pass: pass ?? '' })).toMatchObject({ signedIn: false });
    expect(entra.signIn({ upn: first.accountName, pass: (await world.credential(grantId)) ?? '' })).toMatchObject({ signedIn: true });
    expect(entra.users().filter(({ employeeId }) => employeeId !== null)).toHaveLength(1);
  });

  it('beside another one keeps the account until both are over', async () => {
    const first = await active();
    const { technicianId, tenantId, entra, user } = first;
    const second = await world.want({ tenantId, technicianId, roleName: 'helpdesk administrator', sessionSeconds: 900 });
    await world.pass(10);
    const roles = () => entra.roleAssignments(user?.id).map(({ roleName }) => roleName);
    expect(roles().toSorted()).toEqual(['Helpdesk Administrator', 'User Administrator']);
    expect(await world.grant(first.grantId)).toMatchObject({ enc: null, notice: expect.stringContaining('newer grant') as unknown });
    await world.pass(900);
    expect(await states(second.grantId)).toEqual(['ACTIVE', 'ENDED']);
    expect(roles()).toEqual(['User Administrator']);
    expect(entra.user(user?.id ?? '')?.accountEnabled).toBe(true);
    await world.pass(2700);
    expect(world.leftovers(entra)).toEqual([]);
  });

  it('counts in one administrative unit only, where that was asked for', async () => {
    const { tenantId, entra } = await world.customer();
    const scope = `/administrativeUnits/${entra.addAdministrativeUnit('Berlin').id}`;
    const { grantId } = await world.want({ tenantId, technicianId: await world.technician(), scope });
    await world.pass(10);
    expect(entra.roleAssignments().filter(({ principalId }) => entra.user(principalId)?.employeeId != null)).toMatchObject([
      { directoryScopeId: scope },
    ]);
    await world.pass(3600);
    expect(world.leftovers(entra)).toEqual([]);
    expect(await states(grantId)).toEqual(['ACTIVE', 'ENDED']);
  });

  it.each(['P2', 'FREE'] as const)('counts for one application only, where that was asked for (%s)', async (licences) => {
    const { tenantId, entra } = await world.customer({ licences });
    const scope = `/${entra.registerApp().applicationId}`;
    const technicianId = await world.technician();
    const { grantId } = await world.want({ tenantId, technicianId, roleName: 'Application Administrator', scope });
    await world.pass(10);
    const { accountName } = (await world.reports(grantId))[0] ?? {};
    expect(entra.roleAssignments(entra.user(accountName ?? '')?.id)).toMatchObject([
      { roleName: 'Application Administrator', directoryScopeId: scope },
    ]);
    await world.pass(3600);
    expect(world.leftovers(entra)).toEqual([]);
    expect(await states(grantId)).toEqual(['ACTIVE', 'ENDED']);
  });

  it('has a password, and says what that means, where no pass is allowed', async () => {
    const { entra, grantId, accountName, why: notice } = await active({ tapPolicy: { state: 'disabled' }, mfaAtPortals: false });
    expect(notice).toContain('demand a second factor');
    const password = await world.credential(grantId);
    expect(entra.signIn({ upn: accountName, password: password ?? '' })).toMatchObject({ signedIn: true });
    await world.pass(3600);
    expect(world.leftovers(entra)).toEqual([]);
  });

  it("keeps to the limits of the tenant's policy of passes", async () => {
    const {
      entra,
      grantId,
      accountName,
      why: notice,
    } = await active(
      { tapPolicy: { minimumLifetimeInMinutes: 10, maximumLifetimeInMinutes: 30, isUsableOnce: true } },
      { sessionSeconds: 7200 },
    );
    expect(notice).toContain('30 minutes');
    const pass = (await world.credential(grantId)) ?? '';
    expect(entra.signIn({ upn: accountName, pass })).toMatchObject({ signedIn: true });
    expect(entra.signIn({ upn: accountName, pass })).toMatchObject({ signedIn: false, reason: 'USED' });
  });

  it('makes the credential anew for another key', async () => {
    const { grantId, tenantId, entra, accountName } = await active();
    const lost = await world.credential(grantId);
    const key = await generateHpkeKeyPair();
    const { accountId } = await world.grant(grantId);
    await world.tenancy.asSystem(async (tx) => {
      await world.grants.save(
        tx,
        { mspId: world.mspId, id: grantId },
        { recipientKey: key.publicKey, credentialAt: null, enc: null, ciphertext: null },
      );
      await world.accounts.due(tx, world.mspId, accountId, world.clock.now());
    });
    await world.pass(5);
    const { enc, ciphertext } = await world.grant(grantId);
    const reader = { privateKey: key.privateKey, tenantId, grantId };
    const pass = await openEntraCredential(reader, { enc: enc ?? '', ciphertext: ciphertext ?? '', accountId });
    expect(entra.signIn({ upn: accountName, pass: lost ?? '' })).toMatchObject({ signedIn: false });
    expect(entra.signIn({ upn: accountName, pass })).toMatchObject({ signedIn: true });
    await expect(
      openEntraCredential({ ...reader, grantId: tenantId }, { enc: enc ?? '', ciphertext: ciphertext ?? '', accountId }),
    ).rejects.toThrow();
  });

  it("is made on a managed domain where the tenant's own is federated", async () => {
    const { accountName } = await active({
      domains: [
        { name: 'contoso.example', isDefault: true, isInitial: false, authenticationType: 'Federated' },
        { name: 'contoso.onmicrosoft.com', isDefault: false, isInitial: true, authenticationType: 'Managed' },
      ],
    });
    expect(accountName).toBe('jit-anna.berg@contoso.onmicrosoft.com');
  });

  it("takes over nobody's account: another name, always the same one", async () => {
    const { tenantId, entra } = await world.customer();
    const foreign = entra.addUser({ userPrincipalName: `jit-anna.berg@${entra.initialDomain}` });
    const { grantId } = await world.want({ tenantId, technicianId: await world.technician() });
    await world.pass(10);
    expect((await world.reports(grantId))[0]?.accountName).toMatch(/^jit-anna\.berg-[0-9a-f]{6}@/);
    await world.pass(3600);
    expect(entra.user(foreign.id)).toEqual(foreign);
  });
});

describe('a grant that cannot be', () => {
  const refusals = [
    { when: 'the role is unknown', wanted: { roleName: 'Nobody' }, says: 'no role “Nobody”' },
    { when: 'the role is switched off', wanted: { roleName: 'Off' }, says: 'switched off' },
    { when: 'there are two of its name', wanted: { roleName: 'Twice' }, says: '2 roles' },
    {
      when: "the account is to be one's own, and there is none",
      wanted: { accountKind: 'OWN' as const },
      says: 'no account with your e-mail',
    },
  ];
  it.each(refusals)('fails in words when $when', async ({ wanted, says }) => {
    const { tenantId, entra } = await world.customer();
    entra.addCustomRole('Off', { isEnabled: false });
    entra.addCustomRole('Twice');
    entra.addCustomRole('twice');
    const { grantId } = await world.want({ tenantId, technicianId: await world.technician(), ...wanted });
    await world.pass(600);
    expect(await states(grantId)).toEqual(['FAILED']);
    expect(await why(grantId)).toContain(says);
    expect(world.leftovers(entra, true)).toEqual([]);
  });

  it('fails in words when the application of its scope is not there; the account is switched off again', async () => {
    const { tenantId, entra } = await world.customer();
    const { grantId } = await world.want({ tenantId, technicianId: await world.technician(), scope: `/${randomUUID()}` });
    await world.pass(600);
    expect(await states(grantId)).toEqual(['FAILED']);
    expect(await why(grantId)).toContain('Entra does not have it');
    expect(world.leftovers(entra)).toEqual([]);
  });

  it('fails, and nothing stays, when the pass cannot be issued', async () => {
    const { tenantId, entra } = await world.customer();
    const fault = world.graph.fail({
      method: 'POST',
      path: '/v1.0/users/*/authentication/temporaryAccessPassMethods',
      times: 99,
      answer: { status: 403, code: 'accessDenied' },
    });
    const { grantId } = await world.want({ tenantId, technicianId: await world.technician() });
    await world.pass(600);
    fault.cancel();
    expect(await states(grantId)).toEqual(['FAILED']);
    expect(await why(grantId)).toContain('permission');
    expect(world.leftovers(entra)).toEqual([]);
  });

  it('does not begin for a technician who is switched off', async () => {
    const { tenantId, entra } = await world.customer();
    const { grantId } = await world.want({ tenantId, technicianId: await world.technician({ active: false }) });
    await world.pass(600);
    expect(await states(grantId)).toEqual(['FAILED']);
    expect(world.leftovers(entra, true)).toEqual([]);
  });

  it('does not begin too late', async () => {
    const { tenantId, entra } = await world.customer();
    const outage = world.graph.fail({ path: /.*/, times: 9999, answer: { status: 503 } });
    const { grantId } = await world.want({ tenantId, technicianId: await world.technician() });
    await world.pass(700);
    outage.cancel();
    await world.pass(700);
    expect(await states(grantId)).toEqual(['FAILED']);
    expect(world.leftovers(entra, true)).toEqual([]);
  });
});
