import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Id } from '@stint/kernel';
import { EntraWorld } from '../testing/entra-world.ts';

type Entra = Awaited<ReturnType<EntraWorld['customer']>>['entra'];

let world: EntraWorld;
beforeAll(async () => {
  world = await EntraWorld.start();
});
afterAll(() => world.stop());

const states = async (grantId: Id) => (await world.reports(grantId)).map(({ state }) => state);
const why = async (grantId: Id) => (await world.reports(grantId)).at(-1)?.why;

describe("on an account of one's own", () => {
  it('the role comes and goes, and nothing else changes', async () => {
    const { tenantId, entra } = await world.customer();
    const guest = entra.addUser({
      userPrincipalName: `anna_msp.example#EXT#@${entra.initialDomain}`,
      mail: 'anna.berg@msp.example',
      userType: 'Guest',
    });
    entra.assignRole(guest.id, 'Global Reader');
    const { grantId } = await world.want({ tenantId, technicianId: await world.technician(), accountKind: 'OWN' });
    await world.pass(10);
    const roles = () =>
      entra
        .roleAssignments(guest.id)
        .map(({ roleName }) => roleName)
        .toSorted();
    expect(roles()).toEqual(['Global Reader', 'User Administrator']);
    expect(await world.credential(grantId)).toBeNull();
    await world.pass(3600);
    expect(await states(grantId)).toEqual(['ACTIVE', 'ENDED']);
    expect(roles()).toEqual(['Global Reader']);
    expect(entra.user(guest.id)).toEqual(guest);
  });

  it('a role that was there before stays, and that is said', async () => {
    const { tenantId, entra } = await world.customer();
    const member = entra.addUser({ userPrincipalName: `anna.berg@${entra.initialDomain}` });
    entra.assignRole(member.id, 'User Administrator');
    const technicianId = await world.technician({ email: `anna.berg@${entra.initialDomain}` });
    const { grantId } = await world.want({ tenantId, technicianId, accountKind: 'OWN' });
    await world.pass(10);
    expect(await why(grantId)).toContain('it stays');
    await world.pass(3600);
    expect(await states(grantId)).toEqual(['ACTIVE', 'ENDED']);
    expect(entra.roleAssignments(member.id)).toHaveLength(1);
  });

  it('a protected account is never touched', async () => {
    const { tenantId, entra } = await world.customer();
    const member = entra.addUser({ userPrincipalName: `anna.berg@${entra.initialDomain}` });
    await world.rows('insert into protected_account (msp_id, tenant_id, object_id, why) values ($1, $2, $3, $4)', [
      ...[world.mspId, tenantId, member.id, 'it is a break-glass account'],
    ]);
    const technicianId = await world.technician({ email: `anna.berg@${entra.initialDomain}` });
    const { grantId } = await world.want({ tenantId, technicianId, accountKind: 'OWN' });
    await world.pass(10);
    expect(await why(grantId)).toContain('break-glass');
    expect(entra.roleAssignments(member.id)).toEqual([]);
  });
});

describe("an account of one's own that others change", () => {
  const address = { mail: 'anna.berg@msp.example' };

  /** A technician's own account in a customer's Entra tenant. */
  async function owner(given: Parameters<EntraWorld['customer']>[0] = {}) {
    const { tenantId, entra } = await world.customer(given);
    const member = entra.addUser({ ...address, userPrincipalName: `anna@${entra.initialDomain}` });
    const technicianId = await world.technician();
    const want = async (more: Partial<Parameters<EntraWorld['want']>[0]> = {}) => {
      const { grantId } = await world.want({ tenantId, technicianId, accountKind: 'OWN', ...more });
      await world.pass(10);
      return grantId;
    };
    return { tenantId, entra, member, want, roles: (id = member.id) => entra.roleAssignments(id).map(({ roleName }) => roleName) };
  }

  it.each(['P2', 'FREE'] as const)('has a role for one application; the same role for the whole tenant stays (%s)', async (licences) => {
    const { entra, member, want } = await owner({ licences });
    entra.assignRole(member.id, 'Application Administrator');
    const scope = `/${entra.registerApp().applicationId}`;
    const grantId = await want({ roleName: 'Application Administrator', scope });
    const scopes = () => entra.roleAssignments(member.id).map(({ directoryScopeId }) => directoryScopeId);
    expect(scopes().toSorted()).toEqual(['/', scope]);
    await world.pass(3600);
    expect(scopes()).toEqual(['/']);
    expect(await states(grantId)).toEqual(['ACTIVE', 'ENDED']);
  });

  it.each(['P2', 'FREE'] as const)('renamed during the session: the role is taken from the same account (%s)', async (licences) => {
    const { entra, member, want, roles } = await owner({ licences });
    const grantId = await want();
    entra.changeUser(member.id, { userPrincipalName: `anna.lind@${entra.initialDomain}`, mail: 'anna.lind@msp.example' });
    const successor = entra.addUser(address);
    expect(roles()).toEqual(['User Administrator']);
    await world.pass(3600);
    expect([roles(), roles(successor.id)]).toEqual([[], []]);
    expect(await states(grantId)).toEqual(['ACTIVE', 'ENDED']);
  });

  it('switched off during the session: the role ends in time, and it stays off', async () => {
    const { tenantId, entra, member, want, roles } = await owner({ licences: 'FREE' });
    const grantId = await want();
    entra.changeUser(member.id, { accountEnabled: false });
    await world.reconcile(tenantId);
    await world.pass(3600);
    expect(roles()).toEqual([]);
    expect(entra.user(member.id)?.accountEnabled).toBe(false);
    expect(await states(grantId)).toEqual(['ACTIVE', 'ENDED']);
  });

  it('deleted during the session: the grant ends, and the role does not come back with a restored account', async () => {
    const { tenantId, entra, member, want, roles } = await owner({ licences: 'FREE' });
    const grantId = await want();
    await world.pass(400);
    entra.deleteUser(member.id);
    await world.reconcile(tenantId);
    await world.pass(60);
    expect((await world.reports(grantId)).at(-1)).toMatchObject({
      state: 'ENDED',
      why: expect.stringContaining('somebody else') as unknown,
    });
    entra.restoreUser(member.id);
    expect(roles()).toEqual([]);
  });

  describe('deleted during the session where Entra ends roles by itself', () => {
    const deleted = async () => {
      const made = await owner();
      const grantId = await made.want({ sessionSeconds: 28_800 });
      await world.pass(600);
      made.entra.deleteUser(made.member.id);
      await world.reconcile(made.tenantId);
      await world.pass(1_200);
      await world.reconcile(made.tenantId);
      await world.pass(60);
      expect(await states(grantId)).toEqual(['ACTIVE', 'STUCK']);
      expect(await why(grantId)).toContain('restores it');
      return { ...made, grantId };
    };

    it('and restored: the role is taken away, and only then is it told as ended', async () => {
      const { tenantId, entra, member, roles, grantId } = await deleted();
      entra.restoreUser(member.id);
      await world.reconcile(tenantId);
      await world.pass(60);
      expect(roles()).toEqual([]);
      expect(await states(grantId)).toEqual(['ACTIVE', 'STUCK', 'ENDED']);
    });

    it('and deleted for good: it has ended', async () => {
      const { tenantId, entra, member, grantId } = await deleted();
      entra.purgeUser(member.id);
      await world.reconcile(tenantId);
      await world.pass(60);
      expect(await states(grantId)).toEqual(['ACTIVE', 'STUCK', 'ENDED']);
    });

    it('and left there: it has ended when the role has', async () => {
      const { entra, member, roles, grantId } = await deleted();
      await world.pass(26_000);
      expect(await states(grantId)).toEqual(['ACTIVE', 'STUCK']);
      await world.pass(2_000);
      expect(await states(grantId)).toEqual(['ACTIVE', 'STUCK', 'ENDED']);
      entra.restoreUser(member.id);
      expect(roles()).toEqual([]);
    });
  });

  it('not shown for a moment at the end: the role is taken away all the same', async () => {
    const { member, want, roles } = await owner();
    const grantId = await want({ sessionSeconds: 900 });
    world.graph.fail({ method: 'GET', path: new RegExp(`/users/${member.id}`), answer: { status: 404 } });
    await world.pass(1_000);
    expect(roles()).toEqual([]);
    expect(await states(grantId)).toEqual(['ACTIVE', 'ENDED']);
  });

  const since = [
    {
      what: 'renamed',
      change: (entra: Entra, id: string) => entra.changeUser(id, { mail: 'bert@msp.example' }),
      says: 'no account with your',
    },
    { what: 'switched off', change: (entra: Entra, id: string) => entra.changeUser(id, { accountEnabled: false }), says: 'switched off' },
    { what: 'deleted', change: (entra: Entra, id: string) => entra.deleteUser(id), says: 'no account with your' },
  ];
  it.each(since)('$what since the last session: nothing is given, and why is said', async ({ change, says }) => {
    const { entra, member, want, roles } = await owner();
    await want();
    await world.pass(3600);
    change(entra, member.id);
    const grantId = await want();
    expect(await states(grantId)).toEqual(['FAILED']);
    expect(await why(grantId)).toContain(says);
    expect(roles()).toEqual([]);
  });

  /** After a session: the account is changed so, and another one has this address. */
  async function moved(change: (entra: Entra, id: string) => void, to: Parameters<Entra['addUser']>[0] = address) {
    const made = await owner();
    await made.want();
    await world.pass(3600);
    change(made.entra, made.member.id);
    // What nobody had for a while is still remembered as theirs.
    expect(await states(await made.want())).toEqual(['FAILED']);
    return { ...made, successor: made.entra.addUser(to) };
  }
  const drifts = async (tenantId: Id) =>
    (await world.audits(tenantId)).filter(({ action }) => action === 'entra-account.drifted').map(({ details }) => details);

  it.each(since.filter(({ what }) => what !== 'switched off'))(
    '$what since the last session, and another account has the e-mail address: it is given nothing, and that is told',
    async ({ change }) => {
      const { tenantId, want, roles, member, successor } = await moved(change);
      const grantId = await want();
      expect(await states(grantId)).toEqual(['FAILED']);
      expect(await why(grantId)).toContain(`Another account, ${successor.userPrincipalName}, has your e-mail address`);
      expect([roles(), roles(successor.id)]).toEqual([[], []]);
      expect(await drifts(tenantId)).toMatchObject([{ what: 'address moved', from: member.userPrincipalName }]);
    },
  );

  it.each([
    ['the former account is gone for good', address],
    ['it signs in with the address', { userPrincipalName: address.mail }],
  ])('another account has the address, and %s: that one is given the role, and that is told', async (what, to) => {
    const { tenantId, entra, want, roles, member, successor } = await moved((tenant, id) => tenant.deleteUser(id), to);
    if (what.includes('gone')) entra.purgeUser(member.id);
    const grantId = await want();
    expect(await states(grantId)).toEqual(['ACTIVE']);
    expect([roles(), roles(successor.id)]).toEqual([[], ['User Administrator']]);
    expect(await drifts(tenantId)).toMatchObject([{ what: 'address moved', accountName: successor.userPrincipalName }]);
    await world.pass(3600);
    expect([roles(), roles(successor.id)]).toEqual([[], []]);
    expect((await states(grantId)).at(-1)).toBe('ENDED');
  });

  it('renamed during a session: what is asked for meanwhile is not given to it', async () => {
    const { entra, member, want, roles } = await owner();
    const first = await want();
    entra.changeUser(member.id, { mail: 'bert@msp.example' });
    const second = await want({ roleName: 'Global Reader' });
    expect(await states(second)).toEqual(['FAILED']);
    expect(await why(second)).toContain('End that session');
    expect(roles()).toEqual(['User Administrator']);
    await world.pass(3600);
    expect(roles()).toEqual([]);
    expect(await states(first)).toEqual(['ACTIVE', 'ENDED']);
  });

  it('as it was: a second role during a session is given', async () => {
    const { want, roles } = await owner();
    await want();
    expect(await states(await want({ roleName: 'Global Reader' }))).toEqual(['ACTIVE']);
    expect(roles().toSorted()).toEqual(['Global Reader', 'User Administrator']);
  });
});
