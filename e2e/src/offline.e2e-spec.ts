import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DemoSettingsDocument } from '@stint/embedded';
import { expectType } from '@stint/sdk';
import { eventually } from '@stint/testing';
import { Stint } from './stint.ts';

let stint: Stint;
beforeAll(async () => {
  stint = await Stint.start({ processes: true });
});
afterAll(() => stint.stop());

test('access ends on time though the computer cannot reach the gateway, also access that was taken away meanwhile; it is reported when it can again', async () => {
  const settings = await stint.administrator.request(DemoSettingsDocument, {
    input: { tenantId: stint.world.tenantId, sessionSeconds: 60 },
  });
  expectType(settings.updateJitSettings, 'Tenant');
  const { groupId } = await stint.admitOnlyGroupOf(stint.world.technician.technicianId);
  const terminal = stint.login(['--method', 'qr']);
  const address = await terminal.qrAddress();
  const grantId = await stint.phone.approve(address, await stint.phone.scan(address), 'Printer');
  const { account } = await terminal.result();
  const activeAt = Date.now();
  expect(stint.account(account)).toBe('enabled');
  await eventually(async () => expect(await stint.grant(grantId)).toMatchObject({ state: 'ACTIVE' }));
  // Taken out of the group, which has its effect when nobody can tell the computer any more.
  await stint.processes?.kill('jit-policy');
  expect(await stint.change('setGroupMembers', { groupId, technicianIds: [] })).toMatchObject({ __typename: 'Group' });
  await stint.processes?.kill('gateway');
  await stint.processes?.start('jit-policy');
  const grant = `select state, end_reason as reason from jit_policy.jit_grant where id = '${grantId}'`;
  await eventually(async () =>
    expect(await stint.installation.database.query(grant)).toEqual([{ state: 'ENDING', reason: 'ACCESS_REMOVED' }]),
  );
  expect(stint.account(account)).toBe('enabled');
  await eventually(() => expect(stint.account(account)).toBe('disabled'), { timeoutMs: 75_000 });
  expect(Date.now() - activeAt).toBeGreaterThan(55_000);
  await stint.processes?.start('gateway');
  await eventually(async () => expect(await stint.grant(grantId)).toMatchObject({ state: 'ENDED', endReason: 'ACCESS_REMOVED' }), {
    timeoutMs: 60_000,
  });
}, 200_000);
