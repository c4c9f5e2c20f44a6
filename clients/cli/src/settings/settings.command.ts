import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, texts } from '../arguments.ts';
import {
  SettingsDocument,
  SettingsHistoryDocument,
  UpdateLapsSettingsDocument,
  UpdateSettingsDocument,
  type SettingChangeRowFragment,
  type SettingSource,
  type TenantSettingsFragment,
} from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import type { Output } from '../output.ts';
import { readPages } from '../paging.ts';
import { renderTable, type Cell } from '../render/table.ts';
import { instant } from '../render/values.ts';
import { answered, found, type Act, type Session } from '../session.ts';
import { lapsKey, parseAssignments, settings, type Changes } from './assignments.ts';

interface Shown {
  name: string;
  value: unknown;
  source: SettingSource;
  setOn: { name: string } | null;
  problem: string | null;
}

const sources: Readonly<Record<SettingSource, Cell>> = {
  OWN: 'set here',
  INHERITED: { text: 'inherited', tone: 'quiet' },
  DEFAULT: { text: "Stint's default", tone: 'quiet' },
};

export function addSettingsCommands(program: Command, act: Act): void {
  const group = program.command('settings').description('how just-in-time access and break-glass accounts work for a tenant');

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

  const keys = Object.entries(settings).map(([key, { about }]) => `\n  ${key.padEnd(30)}${about}`);
  group
    .command('set')
    .description('change settings; what is not named stays')
    .argument('<tenant>', "the tenant's id", id)
    .argument('[key=value...]', 'new values')
    .option('--inherit <key>', 'go back to the inherited value (repeatable)', texts)
    .addHelpText('after', `\nSettings:${keys.join('')}`)
    .action(
      act(async (session, tenantId: Id, assignments: string[], options: { inherit?: string[] }) => {
        const changes = parseAssignments(assignments, options.inherit ?? []);
        print(session.output, await change(session, tenantId, changes));
      }),
    );

  withListOptions(
    group
      .command('history')
      .description('list what was changed on this very tenant, newest first')
      .argument('<tenant>', "the tenant's id", id),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, options: ListOptions) => {
      const { client } = await signedIn();
      const page = await readPages(rowLimit(options), async (at) => {
        const { tenant } = await client.request(SettingsHistoryDocument, { tenantId, ...at });
        return answered(found(tenant, 'tenant').settingsHistory, 'history of the settings');
      });
      const columns = [
        { title: 'AT', show: (row: SettingChangeRowFragment) => instant(row.at) },
        { title: 'SETTING', show: (row: SettingChangeRowFragment) => row.setting },
        { title: 'FROM', show: (row: SettingChangeRowFragment) => stored(row.old) },
        { title: 'TO', show: (row: SettingChangeRowFragment) => stored(row.new) },
        { title: 'BY', show: (row: SettingChangeRowFragment) => row.technician?.displayName ?? `${row.actorKind} ${row.actorId}` },
      ];
      output.list(page, columns, 'Nothing was ever changed here.');
    }),
  );
}

async function change({ signedIn }: Session, tenantId: Id, changes: Changes): Promise<TenantSettingsFragment> {
  const { client } = await signedIn();
  if (changes.of === 'jit') {
    const { updateJitSettings } = await client.request(UpdateSettingsDocument, { input: { tenantId, ...changes.patch } });
    const { __typename, ...tenant } = expectType(updateJitSettings, 'Tenant');
    return tenant;
  }
  const { updateLapsSettings } = await client.request(UpdateLapsSettingsDocument, { input: { tenantId, ...changes.patch } });
  const { __typename, ...tenant } = expectType(updateLapsSettings, 'Tenant');
  return tenant;
}

function print(output: Output, tenant: TenantSettingsFragment): void {
  if (output.json) return output.thing(tenant, []);
  const jit = new Map(Object.entries(answered(tenant.jitSettings, "tenant's settings")));
  const { passwordEntropyBits, ...lapsSettings } = answered(tenant.lapsSettings, "tenant's settings");
  const laps = new Map(Object.entries(lapsSettings));
  const rows = Object.keys(settings).flatMap((name): Shown[] => {
    const setting = jit.get(name) ?? laps.get(lapsKey(name) ?? '');
    return setting === undefined ? [] : [{ name, ...setting }];
  });
  const columns = [
    { title: 'SETTING', show: (row: Shown) => row.name },
    { title: 'VALUE', show: (row: Shown): Cell => (row.problem === null ? plain(row.value) : { text: plain(row.value), tone: 'bad' }) },
    { title: 'SOURCE', show: (row: Shown) => sources[row.source] },
    { title: 'SET ON', show: (row: Shown) => row.setOn?.name ?? '' },
  ];
  output.block(renderTable(columns, rows, output.colours));
  output.note(`Passwords of break-glass accounts have ${Math.floor(passwordEntropyBits)} bits.`);
  for (const { name, problem } of rows) if (problem !== null) output.note(`${name}: ${problem}`);
}

function plain(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return Array.isArray(value) ? value.join(',') : String(value);
}

/** A value as the history has it: JSON, null for what is inherited. */
function stored(json: string | null): string {
  if (json === null) return 'inherited';
  try {
    return plain(JSON.parse(json));
  } catch {
    return json;
  }
}
