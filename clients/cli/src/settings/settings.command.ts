import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, texts } from '../arguments.ts';
import { SettingsDocument, UpdateSettingsDocument, type SettingSource, type TenantSettingsFragment } from '../generated/operations.ts';
import type { Output } from '../output.ts';
import { renderTable, type Cell } from '../render/table.ts';
import { answered, found, type Act } from '../session.ts';
import { parseAssignments, settings } from './assignments.ts';

type Settings = NonNullable<TenantSettingsFragment['jitSettings']>;

const sources: Readonly<Record<SettingSource, Cell>> = {
  OWN: 'set here',
  INHERITED: { text: 'inherited', tone: 'quiet' },
  DEFAULT: { text: "Stint's default", tone: 'quiet' },
};

export function addSettingsCommands(program: Command, act: Act): void {
  const group = program.command('settings').description('how just-in-time access works for a tenant');

  group
    .command('show')
    .description('show the values that hold and where each comes from')
    .argument('<tenant>', "the tenant's id", id)
    .action(
      act(async ({ signedIn, output }, tenantId: Id) => {
        const { client } = await signedIn();
        const { tenant } = await client.request(SettingsDocument, { tenantId });
        print(output, found(tenant, 'tenant'));
      }),
    );

  const keys = Object.entries(settings).map(([key, { about }]) => `\n  ${key.padEnd(20)}${about}`);
  group
    .command('set')
    .description('change settings; what is not named stays')
    .argument('<tenant>', "the tenant's id", id)
    .argument('[key=value...]', 'new values')
    .option('--inherit <key>', 'go back to the inherited value (repeatable)', texts)
    .addHelpText('after', `\nSettings:${keys.join('')}`)
    .action(
      act(async ({ signedIn, output }, tenantId: Id, assignments: string[], options: { inherit?: string[] }) => {
        const changes = parseAssignments(assignments, options.inherit ?? []);
        const { client } = await signedIn();
        const { updateJitSettings } = await client.request(UpdateSettingsDocument, { input: { tenantId, ...changes } });
        const { __typename, ...tenant } = expectType(updateJitSettings, 'Tenant');
        print(output, tenant);
      }),
    );
}

function print(output: Output, tenant: TenantSettingsFragment): void {
  if (output.json) return output.thing(tenant, []);
  const values: Settings = answered(tenant.jitSettings, "tenant's settings");
  const columns = [
    { title: 'SETTING', show: (key: keyof Settings) => key },
    { title: 'VALUE', show: (key: keyof Settings) => plain(values[key].value) },
    { title: 'SOURCE', show: (key: keyof Settings) => sources[values[key].source] },
    { title: 'SET ON', show: (key: keyof Settings) => values[key].setOn?.name ?? '' },
  ];
  output.block(renderTable(columns, Object.keys(settings) as (keyof Settings)[], output.colours));
}

function plain(value: boolean | number | string): string {
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
}
