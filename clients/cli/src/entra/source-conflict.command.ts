import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType, type StintClient } from '@stint/sdk';
import { id, oneOf } from '../arguments.ts';
import {
  ResolveSourceConflictDocument,
  SourceConflictsDocument,
  type SourceConflictKind,
  type SourceConflictRowFragment,
} from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { readPages, type Page } from '../paging.ts';
import { confirm } from '../prompt.ts';
import type { Field } from '../render/table.ts';
import { found, type Act } from '../session.ts';
import { technicianFields } from '../technician/technician.command.ts';

const decisions = ['LINK', 'LEAVE'] as const;
type Decision = (typeof decisions)[number];

const kinds: Readonly<Record<SourceConflictKind, string>> = {
  LOCAL_TECHNICIAN: 'a local technician has the address',
  ADDRESS_TAKEN: 'somebody else has the address',
  LAST_ADMINISTRATOR: 'nobody else administers the MSP',
  GROUP_UNKNOWN: 'a technician group is not there (yet)',
  LIMIT: 'too many groups or roles',
};

/** People of the source who are not here as they should be, and what an administrator says about them. */
export function addSourceConflictCommands(group: Command, act: Act): void {
  withListOptions(
    group
      .command('conflicts')
      .description('list people of the source who are not here as they should be, oldest first')
      .argument('<tenant>', "the tenant's id", id),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, options: ListOptions) => {
      const { client } = await signedIn();
      const page = await conflictsOf(client, tenantId, rowLimit(options));
      const columns = [
        { title: 'ID', show: (conflict: SourceConflictRowFragment) => conflict.id },
        { title: 'EMAIL', show: (conflict: SourceConflictRowFragment) => conflict.email },
        { title: 'NAME', show: (conflict: SourceConflictRowFragment) => conflict.displayName },
        { title: 'WHY', show: ({ kind, leftAlone }: SourceConflictRowFragment) => `${kinds[kind]}${leftAlone ? '; left alone' : ''}` },
        { title: 'WHO HAS THE ADDRESS', show: ({ technician }: SourceConflictRowFragment) => technician?.displayName ?? '' },
        { title: 'TECHNICIAN', show: ({ technician }: SourceConflictRowFragment) => technician?.id ?? '' },
      ];
      output.list(page, columns, 'Nothing stands in the way of anybody.');
    }),
  );

  group
    .command('resolve')
    .description('say whether a local technician is the person with the same address in Entra')
    .argument('<tenant>', "the tenant's id", id)
    .argument('<conflict>', "the conflict's id", id)
    .argument(
      '<decision>',
      'link: they are the same, and Entra sets address, name, groups and roles from now on; leave: they are two people',
      oneOf(decisions),
    )
    .option('--yes', 'do not ask before a link')
    .action(
      act(async ({ io, signedIn, output }, tenantId: Id, conflictId: Id, decision: Decision, { yes }: { yes?: boolean }) => {
        const { client } = await signedIn();
        if (decision === 'LINK') {
          if (yes !== true) output.beforeQuestion(linkFields(await conflictOf(client, tenantId, conflictId)));
          await confirm(io, 'Are they the same person? Entra sets address, name, groups and roles of the technician from then on.', yes);
        }
        const { resolveSourceConflict } = await client.request(ResolveSourceConflictDocument, { input: { id: conflictId, decision } });
        const { __typename, ...resolved } = expectType(resolveSourceConflict, 'SourceConflictResolved');
        const linked = resolved.technician ?? null;
        output.thing(
          resolved,
          linked === null ? [['conflict', conflictId]] : technicianFields(linked),
          decision === 'LINK'
            ? 'Linked. The technician comes from Entra from now on.'
            : 'Left alone. Nobody comes while the address is taken.',
        );
      }),
    );
}

async function conflictsOf(client: StintClient, tenantId: Id, limit: number): Promise<Page<SourceConflictRowFragment>> {
  return readPages(
    limit,
    async (at) => found((await client.request(SourceConflictsDocument, { tenantId, ...at })).tenant, 'tenant').sourceConflicts,
  );
}

async function conflictOf(client: StintClient, tenantId: Id, conflictId: Id): Promise<SourceConflictRowFragment> {
  const { items } = await conflictsOf(client, tenantId, Number.POSITIVE_INFINITY);
  return found(
    items.find((conflict) => conflict.id === conflictId),
    'conflict of this tenant',
  );
}

/** Who would be one person. */
function linkFields({ objectId, email, displayName, kind, technician }: SourceConflictRowFragment): Field[] {
  return [
    ['person in Entra', displayName],
    ['object id', objectId],
    ['email', email],
    ['why', kinds[kind]],
    ['technician', technician?.displayName ?? ''],
    ["technician's id", technician?.id ?? ''],
    ["technician's email", technician?.email ?? ''],
  ];
}
