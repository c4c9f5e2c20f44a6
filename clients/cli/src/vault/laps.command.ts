import type { Command } from 'commander';
import { reason } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, text } from '../arguments.ts';
import {
  CheckInLapsAccountDocument,
  LapsAccountsDocument,
  OneLapsAccountDocument,
  RotateLapsPasswordDocument,
  type LapsAccountRowFragment,
} from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { readPages } from '../paging.ts';
import { instant } from '../render/values.ts';
import { answered, found, type Act } from '../session.ts';
import { accountFields, attention, placeOf, stateCell } from './laps-account-fields.ts';
import { addRevealCommands } from './reveal.command.ts';
import { addTakeOverCommand } from './take-over.command.ts';

/** `laps …`: break-glass accounts and their passwords. */
export function addLapsCommands(program: Command, act: Act): void {
  const group = program.command('laps').description('break-glass accounts, whose passwords the vault keeps');

  withListOptions(
    group
      .command('list')
      .description('list the break-glass accounts of a tenant: on its computers, and in its Entra tenant')
      .argument('<tenant>', "the tenant's id", id)
      .option('--attention', 'only those that need somebody: stuck, overdue, or found and waiting for a yes'),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, options: ListOptions & { attention?: boolean }) => {
      const { client } = await signedIn();
      const needsAttention = options.attention === true;
      const page = await readPages(rowLimit(options), async (at) => {
        const { tenant } = await client.request(LapsAccountsDocument, { tenantId, needsAttention, ...at });
        return answered(found(tenant, 'tenant').lapsAccounts, 'vault');
      });
      const columns = [
        { title: 'ID', show: (account: LapsAccountRowFragment) => account.id },
        { title: 'COMPUTER', show: placeOf },
        { title: 'ACCOUNT', show: (account: LapsAccountRowFragment) => account.name },
        { title: 'STATE', show: stateCell },
        { title: 'CONFIRMED', show: (account: LapsAccountRowFragment) => instant(account.confirmedAt) || 'never' },
        { title: 'NEXT CHANGE', show: (account: LapsAccountRowFragment) => instant(account.dueAt) },
        { title: 'NOTE', show: attention },
      ];
      const none = 'This tenant has no break-glass accounts. "stint settings set <tenant> lapsLocalEnabled=on" switches them on.';
      output.list(page, columns, needsAttention ? 'Nothing here needs attention.' : none);
    }),
  );

  group
    .command('show')
    .description('show a break-glass account, without its password')
    .argument('<account>', 'the id', id)
    .action(
      act(async ({ signedIn, output }, accountId: Id) => {
        const { client } = await signedIn();
        const account = found((await client.request(OneLapsAccountDocument, { id: accountId })).lapsAccount, 'break-glass account');
        output.thing(account, accountFields(account));
      }),
    );

  addRevealCommands(group, act);

  group
    .command('check-in')
    .description('give an account back before its time: its password is changed at once')
    .argument('<account>', 'the id', id)
    .action(
      act(async ({ signedIn, output }, accountId: Id) => {
        const { client } = await signedIn();
        const { checkInLapsAccount } = await client.request(CheckInLapsAccountDocument, { input: { accountId } });
        const { __typename, ...account } = expectType(checkInLapsAccount, 'LapsAccount');
        output.thing(account, accountFields(account), 'Checked in. The password is changed as soon as the computer is in contact.');
      }),
    );

  group
    .command('rotate')
    .description('have the password changed now, or when the computer is next in contact')
    .argument('<account>', 'the id', id)
    .requiredOption('--reason <text>', 'why; it stands in the audit log', text(reason))
    .action(
      act(async ({ signedIn, output }, accountId: Id, options: { reason: string }) => {
        const { client } = await signedIn();
        const { rotateLapsPassword } = await client.request(RotateLapsPasswordDocument, { input: { accountId, reason: options.reason } });
        const { __typename, ...account } = expectType(rotateLapsPassword, 'LapsAccount');
        output.thing(account, accountFields(account), 'Asked for. The password is changed as soon as the computer is in contact.');
      }),
    );

  addTakeOverCommand(group, act);
}
