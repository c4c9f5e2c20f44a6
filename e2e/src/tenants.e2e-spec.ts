import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DemoCreateTenantDocument, DemoSettingsDocument } from '@stint/embedded';
import { newId } from '@stint/kernel';
import { Stint } from './stint.ts';

let stint: Stint;
beforeAll(async () => {
  stint = await Stint.start({ processes: false });
});
afterAll(() => stint.stop());

test('createTenant followed at once by updateJitSettings works 1,000 times of 1,000', async () => {
  const one = async (index: number) => {
    const id = newId();
    const { createTenant } = await stint.administrator.request(DemoCreateTenantDocument, {
      input: { id, parentId: stint.world.mspId, name: `Customer ${index}` },
    });
    const { updateJitSettings } = await stint.administrator.request(DemoSettingsDocument, { input: { tenantId: id, totpLogin: true } });
    return `${createTenant.__typename} ${updateJitSettings.__typename}`;
  };
  const answers: string[] = [];
  for (let first = 0; first < 1_000; first += 20)
    answers.push(...(await Promise.all(Array.from({ length: 20 }, (_, index) => one(first + index)))));
  expect(answers.filter((answer) => answer !== 'Tenant Tenant')).toEqual([]);
  expect(answers).toHaveLength(1_000);
}, 300_000);
