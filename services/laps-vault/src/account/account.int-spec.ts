import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TestLapsVault } from '../testing/test-laps-vault.ts';
import { World } from '../testing/world.ts';

let service: TestLapsVault;
let world: World;
beforeAll(async () => {
  service = await TestLapsVault.start();
  world = new World(service);
});
afterAll(() => service.close());

const rows = (deviceId: string) =>
  service.rows('select kind, name, wanted from laps_account where device_id = $1 order by lower(name)', [deviceId]);

test('devices have the accounts that the settings want; what is not wanted any more is kept', async () => {
  const tenant = await world.tenant(null);
  const [computer, controller, gone] = [
    await world.device(tenant),
    await world.device(tenant, { kind: 'DOMAIN_CONTROLLER' }),
    await world.device(tenant, { active: false }),
  ];
  await world.settings(tenant, { localEnabled: true, domainEnabled: true });
  await service.settled();
  expect(await rows(computer.deviceId)).toEqual([{ kind: 'LOCAL', name: 'stint-admin', wanted: true }]);
  expect(await rows(controller.deviceId)).toEqual([{ kind: 'DOMAIN', name: 'stint-domain-admin', wanted: true }]);
  expect(await rows(gone.deviceId)).toEqual([]);
  await world.settings(tenant, { localEnabled: true, localAccountName: 'bg' });
  await service.settled();
  // One that comes later has it from the beginning.
  const later = await world.device(tenant);
  await service.settled();
  expect(await rows(computer.deviceId)).toEqual([
    { kind: 'LOCAL', name: 'bg', wanted: true },
    { kind: 'LOCAL', name: 'stint-admin', wanted: false },
  ]);
  expect(await rows(controller.deviceId)).toEqual([{ kind: 'DOMAIN', name: 'stint-domain-admin', wanted: false }]);
  expect(await rows(later.deviceId)).toEqual([{ kind: 'LOCAL', name: 'bg', wanted: true }]);
  await world.settings(tenant, { localEnabled: true, localAccountName: 'Stint-Admin' });
  await service.settled();
  expect(await rows(computer.deviceId)).toEqual([
    { kind: 'LOCAL', name: 'bg', wanted: false },
    { kind: 'LOCAL', name: 'Stint-Admin', wanted: true },
  ]);
});
