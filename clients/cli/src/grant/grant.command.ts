import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id } from '../arguments.ts';
import { EndGrantDocument, GrantsDocument, OneGrantDocument, type GrantRowFragment, type GrantState } from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { readPages } from '../paging.ts';
import type { Cell, Field, Tone } from '../render/table.ts';
import { instant, words } from '../render/values.ts';
import { answered, found, type Act } from '../session.ts';

const tones: Readonly<Record<GrantState, Tone>> = {
  APPROVED: 'warning',
  ACTIVE: 'good',
  ENDING: 'warning',
  ENDED: 'quiet',
  END_STUCK: 'bad',
  FAILED: 'bad',
};

export function addGrantCommands(program: Command, act: Act): void {
  const group = program.command('grant').description('who has, or had, access to what');

  withListOptions(
    group.command('list').description("list the grants on a tenant's devices, newest first").argument('<tenant>', "the tenant's id", id),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, options: ListOptions) => {
      const { client } = await signedIn();
      const page = await readPages(rowLimit(options), async (at) =>
        answered(found((await client.request(GrantsDocument, { tenantId, ...at })).tenant, 'tenant').grants, "tenant's grants"),
      );
      const columns = [
        { title: 'ID', show: (grant: GrantRowFragment) => grant.id },
        { title: 'STATE', show: state },
        { title: 'TECHNICIAN', show: (grant: GrantRowFragment) => grant.technician?.email ?? '?' },
        { title: 'DEVICE', show: (grant: GrantRowFragment) => grant.device?.hostName ?? '?' },
        { title: 'ACCOUNT', show: (grant: GrantRowFragment) => grant.accountName },
        { title: 'APPROVED', show: (grant: GrantRowFragment) => instant(grant.approvedAt) },
        { title: 'ENDS', show: (grant: GrantRowFragment) => instant(grant.endedAt ?? grant.expiresAt) },
        { title: 'WHY', show: (grant: GrantRowFragment) => [grant.ticket, grant.reason].filter((each) => each !== null).join(' ') },
      ];
      output.list(page, columns, 'There are no grants on the devices of this tenant.');
    }),
  );

  group
    .command('show')
    .description('show one grant')
    .argument('<grant>', 'the id', id)
    .action(
      act(async ({ signedIn, output }, grantId: Id) => {
        const { client } = await signedIn();
        const grant = found((await client.request(OneGrantDocument, { id: grantId })).grant, 'grant');
        output.thing(grant, fields(grant));
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
          fields(grant),
          over ? 'The grant has ended.' : 'The grant is ending: it has ended when the device has reported the account disabled.',
        );
      }),
    );
}

function state(grant: GrantRowFragment): Cell {
  return { text: words(grant.state), tone: tones[grant.state] };
}

function fields(grant: GrantRowFragment): Field[] {
  return [
    ['id', grant.id],
    ['state', state(grant)],
    ['technician', grant.technician ? `${grant.technician.displayName} <${grant.technician.email}>` : '?'],
    ['device', grant.device?.hostName ?? '?'],
    ['account', grant.accountName],
    ['reason', grant.reason ?? ''],
    ['ticket', grant.ticket ?? ''],
    ['approved', instant(grant.approvedAt)],
    ['active', instant(grant.activeAt)],
    ['ends at the latest', instant(grant.expiresAt)],
    ['ended', instant(grant.endedAt)],
    ['why it ended', grant.endReason === null ? '' : words(grant.endReason)],
    ['failure', grant.failure === null ? '' : { text: grant.failure, tone: 'bad' }],
  ];
}
