import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SourceWorld, type SourceTenant } from '../testing/source-world.ts';
import { roundSeconds, settleSeconds } from './source.domain.ts';

// Whatever happens in Entra, in whatever order, and wherever synchronizations are cut off: in the end the people here are those of the groups.
const userCount = 8;
type Act =
  | { do: 'JOIN' | 'LEAVE'; user: number; group: number }
  | { do: 'DISABLE' | 'ENABLE' | 'DELETE' | 'RENAME'; user: number }
  | { do: 'STEPS'; count: number }
  | { do: 'CRASH' }
  | { do: 'LATER'; seconds: number }
  | { do: 'EXPIRE' }
  | { do: 'FAIL'; times: number };

const user = fc.nat({ max: userCount - 1 });
const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ do: fc.constantFrom('JOIN' as const, 'LEAVE' as const), user, group: fc.nat({ max: 2 }) }),
  fc.record({ do: fc.constantFrom('DISABLE' as const, 'ENABLE' as const, 'DELETE' as const, 'RENAME' as const), user }),
  fc.record({ do: fc.constant('STEPS' as const), count: fc.nat({ max: 6 }) }),
  fc.record({ do: fc.constant('CRASH' as const) }),
  fc.record({ do: fc.constant('LATER' as const), seconds: fc.constantFrom(10, roundSeconds, settleSeconds) }),
  fc.record({ do: fc.constant('EXPIRE' as const) }),
  fc.record({ do: fc.constant('FAIL' as const), times: fc.integer({ min: 1, max: 12 }) }),
);

let world: SourceWorld;
beforeAll(async () => {
  world = await SourceWorld.start({ consistency: { seconds: 60, reads: 1 }, pageSize: 3 });
});
afterAll(() => world?.close());

async function act(msp: SourceTenant, one: Act, users: string[], groups: string[]): Promise<void> {
  const { entra } = msp;
  switch (one.do) {
    case 'JOIN':
      return entra.addMember(groups[one.group] ?? '', users[one.user] ?? '');
    case 'LEAVE':
      return entra.removeMember(groups[one.group] ?? '', users[one.user] ?? '');
    case 'DISABLE':
    case 'ENABLE':
      return entra.changeUser(users[one.user] ?? '', { accountEnabled: one.do === 'ENABLE' });
    case 'RENAME':
      return entra.changeUser(users[one.user] ?? '', { displayName: `Named ${world.clock.now().getTime()}` });
    case 'DELETE':
      return entra.user(users[one.user] ?? '')?.deletedDateTime == null ? entra.deleteUser(users[one.user] ?? '') : undefined;
    case 'STEPS':
      return void (await world.run(one.count));
    case 'CRASH':
      // Whoever took the source dies; the lease runs out.
      await world.tenancy.asSystem((tx) => world.sources.take(tx, world.clock.now()));
      return world.clock.advance(181);
    case 'LATER':
      world.clock.advance(one.seconds);
      return void (await world.run(3));
    case 'EXPIRE':
      return entra.expireDeltaTokens();
    case 'FAIL':
      return void world.graph.fail({ answer: { status: 503 }, times: one.times, path: /^\/v1\.0\// });
  }
}

test('people here are those of the groups in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { minLength: 5, maxLength: 25 }), async (script) => {
      const msp = await world.tenant();
      const users = Array.from({ length: userCount }, (_, place) => world.user(msp, `Person${place}`).id);
      const inner = msp.entra.addGroup({ displayName: 'Inner', members: users.slice(0, 2) });
      const outer = msp.entra.addGroup({ displayName: 'Outer', members: [...users.slice(2, 5), inner.id] });
      const other = msp.entra.addGroup({ displayName: 'Other', members: users.slice(4, 6) });
      await world.switchOn(msp, outer.id, other.id);
      for (const one of script) await act(msp, one, users, [inner.id, outer.id, other.id]);
      // Faults that nobody has met are used up; then everything has been read, late or not.
      for (let round = 0; round < 10; round += 1) {
        await world.later(settleSeconds);
        const held = (await world.shown(msp)).readings.find(({ state, purpose }) => state === 'WAITING' && purpose === 'SYNC');
        if (held !== undefined) await world.service.apply(msp.administrator, held.id);
      }
      const members = [outer, other, inner].flatMap(({ id }) => msp.entra.members(id));
      const wanted = users.filter((id) => {
        const one = msp.entra.user(id);
        return members.includes(id) && one?.accountEnabled === true && one.deletedDateTime === null;
      });
      expect(await world.present(msp)).toEqual(wanted.toSorted());
      const believed = await world.believed(msp);
      for (const id of wanted) expect(believed.get(id)?.displayName).toBe(msp.entra.user(id)?.displayName);
      expect((await world.shown(msp)).problem).toBeNull();
      await world.rest();
    }),
    { numRuns: 15, endOnFailure: true },
  );
}, 240_000);
