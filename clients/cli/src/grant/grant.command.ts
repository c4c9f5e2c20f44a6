import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id } from '../arguments.ts';
import {
  EndGrantDocument,
  GrantInEntraDocument,
  GrantsDocument,
  OneGrantDocument,
  type GrantRowFragment,
} from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { readPages } from '../paging.ts';
import { instant } from '../render/values.ts';
import { answered, found, type Act } from '../session.ts';
import { addGrantChangeCommands } from './grant-change.command.ts';
import { addGrantEvidenceCommands } from './grant-evidence.command.ts';
import { showEntraAccess } from './entra-access-fields.ts';
import { grantFields, stateCell, whereCell } from './grant-fields.ts';

export function addGrantCommands(program: Command, act: Act): void {
  const group = program.command('grant').description('who has, or had, access to what');

  withListOptions(
    group
      .command('list')
      .description("list the grants on a tenant's devices and in its Entra tenant, newest first")
      .argument('<tenant>', "the tenant's id", id),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, options: ListOptions) => {
      const { client } = await signedIn();
      const page = await readPages(rowLimit(options), async (at) =>
        answered(found((await client.request(GrantsDocument, { tenantId, ...at })).tenant, 'tenant').grants, "tenant's grants"),
      );
      const columns = [
        { title: 'ID', show: (grant: GrantRowFragment) => grant.id },
        { title: 'STATE', show: stateCell },
        { title: 'TECHNICIAN', show: (grant: GrantRowFragment) => grant.technician?.email ?? '?' },
        { title: 'WHERE', show: whereCell },
        { title: 'ACCOUNT', show: (grant: GrantRowFragment) => grant.accountName ?? '' },
        { title: 'APPROVED', show: (grant: GrantRowFragment) => instant(grant.approvedAt) },
        { title: 'ENDS', show: (grant: GrantRowFragment) => instant(grant.endedAt ?? grant.expiresAt) },
        { title: 'WHY', show: (grant: GrantRowFragment) => [grant.ticket, grant.reason].filter((each) => each !== null).join(' ') },
      ];
      output.list(page, columns, 'There are no grants in this tenant.');
    }),
  );

  group
    .command('show')
    .description('show one grant; of one in Entra also what was done and seen there')
    .argument('<grant>', 'the id', id)
    .action(
      act(async ({ signedIn, output }, grantId: Id) => {
        const { client } = await signedIn();
        const grant = found((await client.request(OneGrantDocument, { id: grantId })).grant, 'grant');
        if (grant.entraRole === null) return output.thing(grant, grantFields(grant));
        const { entraAccess } = found((await client.request(GrantInEntraDocument, { id: grantId })).grant, 'grant');
        output.thing({ ...grant, entraAccess }, grantFields(grant));
        if (entraAccess !== null) showEntraAccess(output, entraAccess);
      }),
    );

  group
    .command('end')
    .description('end a grant now')
    .argument('<grant>', 'the id', id)
    .action(
      act(async ({ signedIn, output }, grantId: Id) => {
        const { client } = await signedIn();
        const { endGrant } = await client.request(EndGrantDocument, { input: { id: grantId } });
        const { __typename, ...grant } = expectType(endGrant, 'Grant');
        const over = grant.state === 'ENDED' || grant.state === 'FAILED';
        output.thing(
          grant,
          grantFields(grant),
          over ? 'The grant has ended.' : `The grant is ending: it has ended when ${endSeen(grant)}.`,
        );
      }),
    );

  addGrantChangeCommands(group, act);
  addGrantEvidenceCommands(group, act);
}

function endSeen({ entraRole }: GrantRowFragment): string {
  return entraRole === null ? 'the device has reported the account disabled' : 'the role was seen gone in Entra';
}
