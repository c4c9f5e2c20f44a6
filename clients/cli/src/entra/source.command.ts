import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, oneOf } from '../arguments.ts';
import {
  EntraGroupsDocument,
  SwitchUserSourceOffDocument,
  SyncUserSourceDocument,
  UserSourceOfDocument,
  type EntraGroupsQuery,
} from '../generated/operations.ts';
import { confirm } from '../prompt.ts';
import { found, type Act } from '../session.ts';
import { addSourceConflictCommands } from './source-conflict.command.ts';
import { showSource, sourceOf } from './source-fields.ts';
import { addSourceReadingCommands } from './source-reading.command.ts';

const leavings = ['KEEP', 'SWITCH_OFF'] as const;
/** The server gives no more groups than these. */
const mostGroups = 100;

type EntraGroup = NonNullable<EntraGroupsQuery['tenant']>['entraGroups'][number];

/** `entra source …`: technicians that come from groups of a tenant's Entra tenant. */
export function addSourceCommands(entra: Command, act: Act): void {
  const group = entra.command('source').description("technicians that come from groups of a tenant's Entra tenant");

  group
    .command('groups')
    .description('find groups in Entra by the beginning of their name')
    .argument('<tenant>', "the tenant's id", id)
    .argument('<start>', 'how the name begins')
    .action(
      act(async ({ signedIn, output }, tenantId: Id, startingWith: string) => {
        const { client } = await signedIn();
        const { entraGroups } = found((await client.request(EntraGroupsDocument, { tenantId, startingWith })).tenant, 'tenant');
        const columns = [
          { title: 'OBJECT ID', show: (each: EntraGroup) => each.id },
          { title: 'NAME', show: (each: EntraGroup) => each.displayName },
          { title: 'DESCRIPTION', show: (each: EntraGroup) => each.description ?? '' },
        ];
        const page = { items: entraGroups, more: entraGroups.length >= mostGroups };
        output.list(page, columns, 'No group in Entra has a name that begins so.', 'There may be more. Give more of the name.');
      }),
    );

  group
    .command('show')
    .description('show the source of a tenant: its groups, what is wrong with it, and what waits for a yes')
    .argument('<tenant>', "the tenant's id", id)
    .action(
      act(async ({ signedIn, output }, tenantId: Id) => {
        const { client } = await signedIn();
        showSource(output, found((await client.request(UserSourceOfDocument, { tenantId })).tenant, 'tenant'));
      }),
    );

  addSourceReadingCommands(group, act);

  group
    .command('sync')
    .description('ask Entra now what has changed, instead of within minutes')
    .argument('<tenant>', "the tenant's id", id)
    .option('--full', 'read everything again, not only what has changed')
    .action(
      act(async ({ signedIn, output }, tenantId: Id, { full = false }: { full?: boolean }) => {
        const { client } = await signedIn();
        const { syncUserSource } = await client.request(SyncUserSourceDocument, { input: { tenantId, full } });
        const { __typename, ...tenant } = expectType(syncUserSource, 'Tenant');
        showSource(output, tenant, 'Asked for. What has changed counts within moments.');
      }),
    );

  addSourceConflictCommands(group, act);

  group
    .command('off')
    .description('switch the source off: its people are local technicians from then on')
    .argument('<tenant>', "the tenant's id", id)
    .requiredOption('--people <what>', 'what becomes of them: keep or switch-off', oneOf(leavings))
    .option('--yes', 'do not ask')
    .action(
      act(async ({ io, signedIn, output }, tenantId: Id, { people, yes }: { people: (typeof leavings)[number]; yes?: boolean }) => {
        const { client } = await signedIn();
        if (yes !== true) {
          const tenant = found((await client.request(UserSourceOfDocument, { tenantId })).tenant, 'tenant');
          const source = sourceOf(tenant);
          output.beforeQuestion([
            ['tenant', tenant.name],
            ['people', String(source.people)],
            ['become', people === 'KEEP' ? 'local technicians, as they are' : { text: 'switched off', tone: 'bad' }],
          ]);
        }
        await confirm(io, people === 'KEEP' ? 'Switch the source off?' : 'Switch the source off, and all its people?', yes);
        const { switchUserSourceOff } = await client.request(SwitchUserSourceOffDocument, { input: { tenantId, people } });
        const { __typename, ...tenant } = expectType(switchUserSourceOff, 'Tenant');
        showSource(output, tenant, 'Switched off. Its people are let go of within moments.');
      }),
    );
}
