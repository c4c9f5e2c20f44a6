import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EntraTenant } from '@stint/graph-emulator';
import type { Id } from '@stint/kernel';
import { EntraWorld } from '../testing/entra-world.ts';

let world: EntraWorld;
beforeAll(async () => {
  world = await EntraWorld.start();
});
afterAll(() => world.stop());

const mostMoments = 70;

/** What a customer's tenant and the session are like. */
const story = fc.record({
  deaths: fc.array(fc.integer({ min: 1, max: mostMoments }), { maxLength: 6 }),
  licences: fc.constantFrom('P2' as const, 'FREE' as const),
  passes: fc.boolean(),
  lateSeconds: fc.constantFrom(0, 20),
  calledOffAfter: fc.option(fc.integer({ min: 0, max: 400 }), { nil: null }),
  second: fc.boolean(),
  faults: fc.array(
    fc.record({
      skip: fc.integer({ min: 0, max: 25 }),
      when: fc.constantFrom('BEFORE' as const, 'AFTER' as const),
      answer: fc.constantFrom('RESET' as const, { status: 504 }, { status: 503 }, { status: 429, headers: { 'retry-after': '7' } }),
    }),
    { maxLength: 4 },
  ),
});

/** What happened to the accounts of a tenant, for whoever reads a failure. */
async function past(tenantId: Id): Promise<unknown> {
  const steps = await world.rows(`select began_at, kind, outcome, detail from entra_step where tenant_id = $1 order by id`, [tenantId]);
  return { steps, accounts: await world.rows('select * from entra_account where tenant_id = $1', [tenantId]) };
}

async function ended(grantId: Id, entra: EntraTenant, tenantId: Id): Promise<void> {
  expect(world.leftovers(entra)).toEqual([]);
  expect(['ENDED', 'FAILED']).toContain((await world.grant(grantId)).phase);
  await world.reconcile(tenantId);
  await world.retention();
  const left = world.leftovers(entra, true);
  if (left.length > 0) throw new Error(JSON.stringify({ left, ...((await past(tenantId)) as object), now: world.clock.now() }, null, 1));
}

describe('a process that is killed', () => {
  it('at any one moment of a whole life leaves nothing behind', async () => {
    for (let moment = 1; moment <= mostMoments; moment += 1) {
      const { tenantId, entra } = await world.customer();
      const technicianId = await world.technician();
      const { grantId } = await world.want({ tenantId, technicianId });
      // Half of them at the beginning, half at the end.
      if (moment % 2 === 0) await world.pass(60);
      await world.pass(7200, [moment]);
      await ended(grantId, entra, tenantId);
    }
  }, 300_000);

  it('at any moments, with faults of Microsoft’s in between, leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ({ deaths, licences, passes, lateSeconds, calledOffAfter, second, faults }) => {
        const { tenantId, entra } = await world.customer({ licences, tapPolicy: { state: passes ? 'enabled' : 'disabled' } });
        world.graph.setConsistency({ seconds: lateSeconds });
        const armed = faults.map((fault) => world.graph.fail({ ...fault, path: /\/v1\.0\/(?!.*batch)/ }));
        const technicianId = await world.technician();
        const wanted = await world.want({ tenantId, technicianId });
        const other = second ? await world.want({ tenantId, technicianId, roleName: 'Helpdesk Administrator', sessionSeconds: 900 }) : null;
        if (calledOffAfter !== null) {
          await world.pass(calledOffAfter, deaths);
          await world.want({ ...wanted, wanted: false });
        }
        await world.pass(14_400, deaths);
        for (const fault of armed) fault.cancel();
        await ended(wanted.grantId, entra, tenantId);
        if (other !== null) expect(['ENDED', 'FAILED']).toContain((await world.grant(other.grantId)).phase);
      }),
      { numRuns: Number(process.env['STINT_DEATHS'] ?? 25), endOnFailure: true },
    );
  }, 300_000);
});
