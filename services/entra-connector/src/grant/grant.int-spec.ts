import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EntraWorld } from '../testing/entra-world.ts';

let world: EntraWorld;
beforeAll(async () => {
  world = await EntraWorld.start();
});
afterAll(() => world.stop());

describe('a grant', () => {
  it('becomes an account with the role and a pass, and all of it goes away in time', async () => {
    const { tenantId, entra } = await world.customer();
    const technicianId = await world.technician();
    const { grantId } = await world.want({ tenantId, technicianId });
    await world.pass(5);
    const [report] = await world.reports(grantId);
    expect(report).toMatchObject({ state: 'ACTIVE', why: null });
    const accountName = report?.accountName ?? '';
    const pass = await world.credential(grantId);
    expect(entra.signIn({ upn: accountName, pass: pass ?? '' })).toMatchObject({ signedIn: true });
    await world.pass(3600);
    expect(world.leftovers(entra)).toEqual([]);
    expect((await world.reports(grantId)).map(({ state }) => state)).toEqual(['ACTIVE', 'ENDED']);
    await world.retention();
    expect(world.leftovers(entra, true)).toEqual([]);
  });
});
