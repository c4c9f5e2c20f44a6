import { InvalidArgumentError, type Command } from 'commander';
import { reason } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, text } from '../arguments.ts';
import { CommandRefusal } from '../failure.ts';
import {
  EntraBreakGlassAccountsDocument,
  EntraBreakGlassFindingDocument,
  RegisterEntraBreakGlassAccountDocument,
  RemoveEntraBreakGlassAccountDocument,
  RotateLapsPasswordDocument,
  type EntraBreakGlassFindingQuery,
  type EntraBreakGlassRowFragment,
} from '../generated/operations.ts';
import { ask } from '../prompt.ts';
import type { Field } from '../render/table.ts';
import { instant } from '../render/values.ts';
import { answered, found, type Act } from '../session.ts';
import { accountFields } from '../vault/laps-account-fields.ts';

type Finding = Extract<EntraBreakGlassFindingQuery['entraBreakGlassFinding'], { __typename: 'EntraBreakGlassFinding' }>;

/** `entra break-glass …`: which accounts of a customer's Entra tenant the vault keeps for emergencies. */
export function addBreakGlassCommands(entra: Command, act: Act): void {
  const group = entra.command('break-glass').description('emergency accounts of Entra tenants, whose passwords the vault keeps');

  group
    .command('list')
    .description("list the break-glass accounts of a tenant's Entra tenant")
    .argument('<tenant>', "the tenant's id", id)
    .action(
      act(async ({ signedIn, output }, tenantId: Id) => {
        const { client } = await signedIn();
        const { tenant } = await client.request(EntraBreakGlassAccountsDocument, { tenantId });
        const rows = answered(found(tenant, 'tenant').entraBreakGlassAccounts, 'Entra connector');
        const columns = [
          { title: 'ID', show: (account: EntraBreakGlassRowFragment) => account.id },
          { title: 'ACCOUNT', show: (account: EntraBreakGlassRowFragment) => account.userPrincipalName },
          { title: 'SINCE', show: (account: EntraBreakGlassRowFragment) => instant(account.registeredAt) },
          { title: 'NOTE', show: noteOf },
        ];
        const none = 'This tenant has no break-glass accounts in Entra. "stint entra break-glass add" puts one on the list.';
        output.list({ items: rows, more: false }, columns, none);
      }),
    );

  group
    .command('add')
    .description('put an account on the list; shows it first, and asks')
    .argument('<tenant>', "the tenant's id", id)
    .argument('<account>', 'its object id or user principal name in Entra')
    .option('--yes <digest>', 'do not ask: the digest of what was shown is the yes', digest)
    .action(
      act(async ({ io, signedIn, output }, tenantId: Id, account: string, options: { yes?: string }) => {
        const { client } = await signedIn();
        const { entraBreakGlassFinding } = await client.request(EntraBreakGlassFindingDocument, { input: { tenantId, account } });
        const finding = expectType(entraBreakGlassFinding, 'EntraBreakGlassFinding');
        const { objectId, userPrincipalName } = finding;
        if (options.yes === undefined) {
          output.beforeQuestion(findingFields(finding));
          if (finding.obstacles.length > 0) throw new CommandRefusal('UNFIT', 'It cannot be a break-glass account. Nothing was done.');
          const question = `Its password will be changed, and then kept by the vault alone. Type its name to go on (${userPrincipalName}):`;
          const instead = `Nothing was done. If this is to be registered, pass --yes ${finding.digest}`;
          if ((await ask(io, question, instead)) !== userPrincipalName)
            throw new CommandRefusal('CANCELLED', 'Cancelled. Nothing was done.');
        }
        const input = { id: newId(), tenantId, objectId, digest: options.yes ?? finding.digest };
        const { registerEntraBreakGlassAccount } = await client.request(RegisterEntraBreakGlassAccountDocument, { input });
        const { __typename, ...added } = expectType(registerEntraBreakGlassAccount, 'EntraBreakGlassAccount');
        output.thing(added, rowFields(added), 'Registered. Its password is changed within minutes: "stint laps show" tells when.');
      }),
    );

  group
    .command('remove')
    .description('take an account off the list: its password stays as it is, and in the vault')
    .argument('<account>', 'the id', id)
    .requiredOption('--reason <text>', 'why; it stands in the audit log', text(reason))
    .action(
      act(async ({ signedIn, output }, accountId: Id, options: { reason: string }) => {
        const { client } = await signedIn();
        const input = { id: accountId, reason: options.reason };
        const { removeEntraBreakGlassAccount } = await client.request(RemoveEntraBreakGlassAccountDocument, { input });
        const { __typename, ...removed } = expectType(removeEntraBreakGlassAccount, 'EntraBreakGlassAccount');
        output.thing(removed, rowFields(removed), 'Removed. The vault keeps the passwords that it has.');
      }),
    );

  group
    .command('rotate')
    .description('have the password changed now')
    .argument('<account>', 'the id', id)
    .requiredOption('--reason <text>', 'why; it stands in the audit log', text(reason))
    .action(
      act(async ({ signedIn, output }, accountId: Id, options: { reason: string }) => {
        const { client } = await signedIn();
        const { rotateLapsPassword } = await client.request(RotateLapsPasswordDocument, { input: { accountId, reason: options.reason } });
        const { __typename, ...account } = expectType(rotateLapsPassword, 'LapsAccount');
        output.thing(account, accountFields(account), 'Asked for. The password is changed within minutes.');
      }),
    );
}

function noteOf({ problem, tampered }: EntraBreakGlassRowFragment): string {
  return [tampered ? 'somebody else has changed its password' : '', problem ?? ''].filter((part) => part !== '').join('; ');
}

function rowFields(account: EntraBreakGlassRowFragment): Field[] {
  return [
    ['id', account.id],
    ['account', account.userPrincipalName],
    ['name', account.displayName],
    ['object id', account.objectId],
    ['registered', account.registered ? instant(account.registeredAt) : 'no'],
    ['note', noteOf(account)],
  ];
}

/** What somebody says yes to. */
function findingFields(finding: Finding): Field[] {
  return [
    ['account', finding.userPrincipalName],
    ['name', finding.displayName],
    ['object id', finding.objectId],
    ['enabled', finding.enabled ? 'yes' : { text: 'no', tone: 'warning' }],
    ['roles', finding.roles.join(', ') || 'none'],
    ['groups', finding.groups.join(', ') || 'none'],
    ['last password change', instant(finding.passwordChangedAt) || 'unknown'],
    ...finding.obstacles.map((why): Field => ['cannot be', { text: why, tone: 'bad' }]),
    ['digest', finding.digest],
  ];
}

function digest(value: string): string {
  if (!/^[0-9a-f]{64}$/.test(value)) throw new InvalidArgumentError('It must be the digest that was shown: 64 hex digits.');
  return value;
}
