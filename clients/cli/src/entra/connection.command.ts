import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { guid, id, oneOf } from '../arguments.ts';
import {
  ConnectEntraDocument,
  DisconnectEntraDocument,
  EntraConnectionBeforeItsEndDocument,
  EntraConnectionOfDocument,
  EntraSetupDocument,
  VerifyEntraConnectionDocument,
  type EntraConnectionBeforeItsEndQuery,
  type EntraSetupQuery,
} from '../generated/operations.ts';
import { confirm } from '../prompt.ts';
import { renderTable, type Field } from '../render/table.ts';
import { yesNo } from '../render/values.ts';
import { answered, found, type Act } from '../session.ts';
import { exitCodeOf, showConnection } from './connection-fields.ts';

const clouds = ['GLOBAL', 'US_GOV', 'US_DOD', 'CHINA'] as const;
type Ending = NonNullable<EntraConnectionBeforeItsEndQuery['tenant']>;
type Needed = EntraSetupQuery['entraSetup']['permissions'][number];

/** Connecting a customer's Entra tenant, looking at the connection, ending it. */
export function addConnectionCommands(group: Command, act: Act): void {
  group
    .command('setup')
    .description("what to prepare in the customer's Entra tenant, step by step")
    .action(
      act(async ({ signedIn, output }) => {
        const { client } = await signedIn();
        const { entraSetup: setup } = await client.request(EntraSetupDocument);
        output.thing(setup, [['redirect address', setup.redirectUri]]);
        output.block(setup.steps.map(({ title, instructions }, index) => `\n${index + 1}. ${title}\n   ${instructions}`).join(''));
        output.block(`\n${renderTable(columns('PERMISSION'), setup.permissions, output.colours)}`);
        output.block(`\n${renderTable(columns('DIRECTORY ROLE'), setup.directoryRoles, output.colours)}`);
      }),
    );

  group
    .command('connect')
    .description('begin to connect a tenant to its Entra tenant, or correct the ids before it has worked')
    .argument('<tenant>', "the tenant's id", id)
    .argument('<entra-tenant-id>', 'the directory (tenant) id: a GUID', guid)
    .argument('<client-id>', 'the application (client) id of the app registration: a GUID', guid)
    .option('--cloud <cloud>', 'global, us-gov, us-dod or china', oneOf(clouds), 'GLOBAL')
    .action(
      act(
        async (
          { signedIn, output },
          tenantId: Id,
          entraTenantId: string,
          clientId: string,
          { cloud }: { cloud: (typeof clouds)[number] },
        ) => {
          const { client } = await signedIn();
          const { connectEntra } = await client.request(ConnectEntraDocument, { input: { tenantId, entraTenantId, clientId, cloud } });
          const { __typename, ...connection } = expectType(connectEntra, 'EntraConnection');
          showConnection(output, connection, 'Begun.');
        },
      ),
    );

  group
    .command('show')
    .description('show the connection of a tenant, and what is wrong with it')
    .argument('<tenant>', "the tenant's id", id)
    .action(
      act(async ({ signedIn, output }, tenantId: Id) => {
        const { client } = await signedIn();
        const { entraConnection } = found((await client.request(EntraConnectionOfDocument, { tenantId })).tenant, 'tenant');
        showConnection(output, found(entraConnection, 'connection to Entra of this tenant'));
      }),
    );

  group
    .command('verify')
    .description('verify the connection now, and name each thing that is missing')
    .argument('<tenant>', "the tenant's id", id)
    .action(
      act(async ({ signedIn, output }, tenantId: Id) => {
        const { client } = await signedIn();
        const { verifyEntraConnection } = await client.request(VerifyEntraConnectionDocument, { input: { tenantId } });
        const { __typename, ...connection } = expectType(verifyEntraConnection, 'EntraConnection');
        showConnection(output, connection, connection.usable ? 'Verified: access can be given.' : 'No access can be given.');
        return exitCodeOf(connection);
      }),
    );

  group
    .command('disconnect')
    .description('end the connection: what Stint has there is ended first, then the credentials are forgotten')
    .argument('<tenant>', "the tenant's id", id)
    .option('--give-up', 'forget the credentials at once: what Stint has there stays, and must be removed by hand')
    .option('--yes', 'do not ask')
    .action(
      act(async ({ io, signedIn, output }, tenantId: Id, { giveUp = false, yes }: { giveUp?: boolean; yes?: boolean }) => {
        const { client } = await signedIn();
        if (yes !== true) {
          const tenant = found((await client.request(EntraConnectionBeforeItsEndDocument, { tenantId })).tenant, 'tenant');
          output.beforeQuestion(whatEnds(tenant));
        }
        await confirm(
          io,
          giveUp ? 'Forget the credentials, and leave there what is there?' : 'End the connection, and all access in it?',
          yes,
        );
        const { disconnectEntra } = await client.request(DisconnectEntraDocument, { input: { tenantId, giveUp } });
        const { __typename, ...connection } = expectType(disconnectEntra, 'EntraConnection');
        const over = connection.state === 'DISCONNECTED';
        showConnection(output, connection, over ? 'Disconnected.' : 'Disconnecting: what Stint has there is ended first.');
      }),
    );
}

/** What is ended, and what stands still without the connection. */
function whatEnds({ name, entraConnection, entraBreakGlassAccounts, userSource }: Ending): Field[] {
  const accounts = answered(entraBreakGlassAccounts, 'break-glass accounts');
  const { entraTenantName, entraTenantId, remaining } = answered(entraConnection, 'connection');
  return [
    ['tenant', name],
    ['Entra tenant', entraTenantName ?? entraTenantId],
    ['of Stint there', `${remaining} grants and accounts`],
    ...(accounts.length === 0
      ? []
      : [unattended(`the passwords of the break-glass accounts ${accounts.map((one) => one.userPrincipalName).join(', ')}`)]),
    ...(userSource?.state === 'ON' ? [unattended(`${userSource.people} technicians from the user source`)] : []),
  ];
}

function unattended(what: string): Field {
  return ['then stands still', { text: what, tone: 'warning' }];
}

function columns(title: string) {
  return [
    { title, show: ({ name }: Needed) => name },
    { title: 'NEEDED', show: ({ required }: Needed) => yesNo(required) },
    { title: 'WHY', show: ({ why }: Needed) => why },
  ];
}
