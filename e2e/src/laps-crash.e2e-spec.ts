// A rotation never loses a password (safety promise G1), with the real vault: its connections to PostgreSQL are cut before and
// after every statement, it is started anew, its queue is emptied or away, while agents die at every step and calls are lost.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkOrders, describeWithRealTools, quickTools, runInNamespace, type Trouble } from '@stint/agent/testing';
import { eventually } from '@stint/testing';
import fc from 'fast-check';
import { LapsVaultHouse } from './laps-vault-house.support.ts';

const atOnce = 6;
const quick = 60;
const real = 6;

let house: LapsVaultHouse;
beforeAll(async () => {
  house = await LapsVaultHouse.start();
  await house.furnish(atOnce, Math.ceil(quick / atOnce) + Math.ceil(real / atOnce));
});
afterAll(() => house.close());

const troubles: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 16, arbitrary: fc.record({ is: fc.constant('CUT' as const), step: fc.integer({ min: 1, max: 80 }), done: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constantFrom<Trouble>({ is: 'QUEUE_EMPTIED' }, { is: 'QUEUE_AWAY' }) },
  { weight: 1, arbitrary: fc.constant<Trouble>({ is: 'RESTARTED' }) },
);
const vault = (lane: number) => house.account(lane);

describe('the password that the real vault reveals opens the account', () => {
  test(`after ${quick} random orders of crashes of the agent, the vault, its database and its queue`, async () => {
    await checkOrders({ runs: quick, atOnce, tools: quickTools, vault, troubles });
    expect(house.database.cuts).toBeGreaterThan(quick / 2);
    expect(house.restarts).toBeGreaterThan(0);
  }, 900_000);
});

describeWithRealTools('the password that the real vault reveals opens the account, with the real account tools', () => {
  test(`after ${real} such orders`, () => checkOrders({ runs: real, atOnce, tools: () => runInNamespace, vault, troubles }), 900_000);
});

test('what was told to the audit log meanwhile comes there, whatever befell the queue', async () => {
  const { service } = house;
  const confirmed = await service.rows<{ id: string }>('select id from laps_version where confirmed_at is not null');
  const revealed = await service.rows<{ id: string }>('select account_id as id from laps_reveal');
  await eventually(() => {
    const told = new Set(
      service.audits.map(({ action, subjectId, details }) => `${action} ${String(details?.['versionId'] ?? subjectId)}`),
    );
    expect(confirmed.map(({ id }) => `laps.confirmed ${id}`).filter((one) => !told.has(one))).toEqual([]);
    expect(revealed.map(({ id }) => `laps.revealed ${id}`).filter((one) => !told.has(one))).toEqual([]);
  });
  expect(await service.rows('select 1 from outbox')).toEqual([]);
});
