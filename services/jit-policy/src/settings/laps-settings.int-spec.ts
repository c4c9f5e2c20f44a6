import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '@stint/testing';
import { TestJitPolicy } from '../testing/test-jit-policy.ts';
import { World } from '../testing/world.ts';
import { LapsSettingsSweep } from './laps-settings.sweep.ts';
import { SettingsRepository } from './settings.repository.ts';

let service: TestJitPolicy;
let world: World;
beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
});
afterAll(() => service.close());

test('services/laps-vault is told once of each tenant for which the effective LAPS settings change', async () => {
  const msp = await world.tenant(null, 'Northwind');
  const customer = await world.tenant(msp);
  const branch = await world.tenant(customer, 'Branch');
  const { actor } = await world.technician(msp, 'ADMINISTRATOR');
  await service.settled();
  const set = (tenantId: string, values: object) =>
    world.mutate(actor, 'updateLapsSettings', '... on Tenant { __typename }', { tenantId, ...values });
  const told = async () => {
    const sweep = new LapsSettingsSweep(new SettingsRepository());
    while ((await service.system.asSystem((tx) => sweep.run(tx))) > 0);
    await eventually(async () => expect(await service.rows(`select 1 from outbox where type = 'laps-settings-changed'`)).toEqual([]));
    const last = (tenantId: string) =>
      service.others
        .received('laps-settings-changed')
        .filter((one) => one.tenantId === tenantId)
        .sort((a, b) => b.version - a.version)[0];
    return [msp, customer, branch].map(({ tenantId }) => last(tenantId));
  };
  // The service's own sweep may have had some of it in hand.
  const tells = (expected: object[]) => eventually(async () => expect(await told()).toMatchObject(expected));
  const byDefault = { localEnabled: false, intervalSeconds: 86_400, passwordStyle: 'CHARACTERS', localActive: true };
  await tells([1, 1, 1].map((version) => ({ version, settings: byDefault })));
  await set(msp.tenantId, { localEnabled: true, intervalSeconds: 7200 });
  await tells([{ version: 2 }, { version: 2 }, { version: 2 }]);
  await set(customer.tenantId, { intervalSeconds: 3600, passwordStyle: 'PASSPHRASE' });
  // Each value from the nearest tenant that sets it.
  const below = { version: 3, settings: { ...byDefault, localEnabled: true, intervalSeconds: 3600, passwordStyle: 'PASSPHRASE' } };
  await tells([{ version: 2, settings: { ...byDefault, localEnabled: true, intervalSeconds: 7200 } }, below, below]);
  await set(branch.tenantId, { intervalSeconds: 86_400 });
  await tells([{ version: 2 }, { version: 3 }, { version: 4, settings: { intervalSeconds: 86_400 } }]);
  await tells([{ version: 2 }, { version: 3 }, { version: 4 }]);
});

test('how hard the passwords are to guess is shown, where they are set and below', async () => {
  const msp = await world.tenant(null);
  const customer = await world.tenant(msp);
  const { actor } = await world.technician(msp, 'ADMINISTRATOR');
  await service.settled();
  const shown = '... on Tenant { lapsSettings { passwordEntropyBits passwordLength { problem } } }';
  const set = (tenantId: string, values: object) => world.mutate(actor, 'updateLapsSettings', shown, { tenantId, ...values });
  expect(await set(msp.tenantId, { passwordStyle: 'PASSPHRASE', passphraseWords: 12 })).toMatchObject({
    lapsSettings: { passwordEntropyBits: expect.closeTo(155.1, 1) },
  });
  expect(await set(customer.tenantId, { passwordLength: 8 })).toMatchObject({
    lapsSettings: { passwordEntropyBits: expect.closeTo(155.1, 1) },
  });
  expect(await set(customer.tenantId, { passwordStyle: 'CHARACTERS' })).toMatchObject({
    lapsSettings: { passwordEntropyBits: expect.closeTo(48.4, 1), passwordLength: { problem: expect.stringContaining('48 bits') } },
  });
});
