import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id } from '../arguments.ts';
import {
  DevicesDocument,
  DeviceToRevokeDocument,
  RevokeDeviceDocument,
  UpdateDeviceDocument,
  type DeviceRowFragment,
} from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { readPages } from '../paging.ts';
import { confirm } from '../prompt.ts';
import type { Cell, Field } from '../render/table.ts';
import { instant, words } from '../render/values.ts';
import { found, type Act } from '../session.ts';

export function addDeviceCommands(program: Command, act: Act): void {
  const group = program.command('device').description('computers with an agent');

  withListOptions(
    group.command('list').description('list the devices of a tenant, oldest first').argument('<tenant>', "the tenant's id", id),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, options: ListOptions) => {
      const { client } = await signedIn();
      const page = await readPages(
        rowLimit(options),
        async (at) => found((await client.request(DevicesDocument, { tenantId, ...at })).tenant, 'tenant').devices,
      );
      const columns = [
        { title: 'ID', show: (device: DeviceRowFragment) => device.id },
        { title: 'HOST NAME', show: (device: DeviceRowFragment) => device.hostName },
        { title: 'KIND', show: (device: DeviceRowFragment) => words(device.kind) },
        { title: 'PLATFORM', show: (device: DeviceRowFragment) => device.platform },
        { title: 'STATE', show: state },
        { title: 'LAST SEEN', show: (device: DeviceRowFragment) => instant(device.lastSeenAt) || 'never' },
      ];
      output.list(page, columns, 'This tenant has no devices. "stint enrollment-token issue" makes a token to enrol one.');
    }),
  );

  group
    .command('tag')
    .description('set the tags of a device, by which access rules name it')
    .argument('<device>', 'the id', id)
    .argument('[tags...]', 'all its tags; none takes them away')
    .action(
      act(async ({ signedIn, output }, deviceId: Id, tags: string[]) => {
        const { client } = await signedIn();
        const { updateDevice } = await client.request(UpdateDeviceDocument, { input: { id: deviceId, tags } });
        const { __typename, ...device } = expectType(updateDevice, 'Device');
        output.thing(device, fields(device), 'Tags set.');
      }),
    );

  group
    .command('revoke')
    .description('revoke a device: its credential ends at once, and only a new enrolment brings it back')
    .argument('<device>', 'the id', id)
    .option('--yes', 'do not ask')
    .action(
      act(async ({ io, signedIn, output }, deviceId: Id, { yes }: { yes?: boolean }) => {
        const { client } = await signedIn();
        const { tenant, ...present } = found((await client.request(DeviceToRevokeDocument, { id: deviceId })).device, 'device');
        if (yes !== true) output.beforeQuestion([...fields(present), ['tenant', tenant?.name ?? '']]);
        await confirm(io, 'Revoke this device?', yes);
        const { revokeDevice } = await client.request(RevokeDeviceDocument, { input: { id: deviceId } });
        const { __typename, ...device } = expectType(revokeDevice, 'Device');
        output.thing(device, fields(device), 'Device revoked.');
      }),
    );
}

function state({ active }: DeviceRowFragment): Cell {
  return active ? { text: 'active', tone: 'good' } : { text: 'revoked', tone: 'bad' };
}

function fields(device: DeviceRowFragment): Field[] {
  return [
    ['id', device.id],
    ['host name', device.hostName],
    ['kind', words(device.kind)],
    ['platform', device.platform],
    ['state', state(device)],
    ['enrolled', instant(device.enrolledAt)],
    ['tags', device.tags.join(', ')],
    ['last seen', instant(device.lastSeenAt) || 'never'],
  ];
}
