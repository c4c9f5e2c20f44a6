import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { id } from '../arguments.ts';
import { EntraAccountsDocument, type EntraAccountRowFragment, type EntraAccountState } from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { readPages } from '../paging.ts';
import type { Column, Tone } from '../render/table.ts';
import { instant, words } from '../render/values.ts';
import { answered, found, type Act } from '../session.ts';

const tones: Readonly<Record<EntraAccountState, Tone>> = { DISABLED: 'quiet', ENABLED: 'good', DELETED: 'warning' };

/** `entra accounts`: what Stint has made in an Entra tenant and is there. */
export function addAccountsCommand(entra: Command, act: Act): void {
  withListOptions(
    entra
      .command('accounts')
      .description("list the accounts that Stint has made in a tenant's Entra tenant and that are there, in use or at rest")
      .argument('<tenant>', "the tenant's id", id),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, options: ListOptions) => {
      const { client } = await signedIn();
      const page = await readPages(rowLimit(options), async (at) =>
        answered(
          found((await client.request(EntraAccountsDocument, { tenantId, ...at })).tenant, 'tenant').entraAccounts,
          'Entra connector',
        ),
      );
      output.list(page, columns, 'Stint has no account there.');
    }),
  );
}

const columns: Column<EntraAccountRowFragment>[] = [
  { title: 'ID', show: ({ id: accountId }) => accountId },
  { title: 'ACCOUNT', show: ({ userPrincipalName }) => userPrincipalName ?? '' },
  { title: 'OBJECT ID', show: ({ objectId }) => objectId ?? '' },
  // Nobody's is one that nobody knew: it is being taken away.
  { title: 'TECHNICIAN', show: ({ technician }) => technician?.email ?? 'nobody' },
  { title: 'STATE', show: ({ state }) => ({ text: words(state), tone: tones[state] }) },
  { title: 'SEEN', show: ({ seenAt }) => instant(seenAt) },
  { title: 'RESTS SINCE', show: ({ restsSince }) => instant(restsSince) },
  { title: 'PROBLEM', show: ({ problem }) => ({ text: problem ?? '', tone: 'bad' }) },
];
