import type { Command } from 'commander';
import { newId, type Id } from '@stint/kernel';
import { expectType, type StintClient } from '@stint/sdk';
import { id, wholeNumber } from '../arguments.ts';
import { CommandRefusal } from '../failure.ts';
import {
  ApplyUserSourceReadingDocument,
  DiscardUserSourceReadingDocument,
  PreviewUserSourceDocument,
  SourceChangesDocument,
  SourceReadingDocument,
  UserSourceOfDocument,
  type SourceReadingRowFragment,
  type UserSourceGroupInput,
} from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { lookUntil } from '../look-until.ts';
import type { Output } from '../output.ts';
import { readPages } from '../paging.ts';
import { confirm } from '../prompt.ts';
import type { Act } from '../session.ts';
import { changeColumns, groupColumns, readingFields, showSource } from './source-fields.ts';
import { sourceGroups } from './source-groups.ts';

type PreviewOptions = ListOptions & { group: UserSourceGroupInput[]; seconds: number };

/** A preview, and the yes or no to what waits for one. */
export function addSourceReadingCommands(group: Command, act: Act): void {
  withListOptions(
    group
      .command('preview')
      .description('show what choosing these groups would change; nothing is changed')
      .argument('<tenant>', "the tenant's id", id)
      .requiredOption(
        '--group <group...>',
        'all groups: each its object id in Entra, "=", the technician group, and ":technician", ":helpdesk" or ":auditor" for a role',
        sourceGroups,
      )
      .option('--seconds <seconds>', 'how long to wait for it', wholeNumber(1, 600), 120),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, options: PreviewOptions) => {
      const { client } = await signedIn();
      const input = { id: newId(), tenantId, groups: options.group };
      const { previewUserSource } = await client.request(PreviewUserSourceDocument, { input });
      const { id: readingId } = expectType(previewUserSource, 'UserSourceReading');
      const reading = await lookUntil(options.seconds, () => readingOf(client, readingId), isRead);
      if (!isRead(reading)) {
        const problem = (await client.request(UserSourceOfDocument, { tenantId })).tenant?.userSource?.problem;
        const why = problem == null ? '' : ` ${problem}`;
        throw new CommandRefusal(
          'NOT_YET',
          `Entra is still being read.${why} Look again in a moment: stint entra source changes ${readingId}`,
        );
      }
      await showReading(client, output, reading, options, 'Nothing has changed yet.');
      output.note(`Yes, within the hour: stint entra source apply ${readingId}`);
    }),
  );

  withListOptions(
    group
      .command('changes')
      .description('show whom a preview, or a synchronization that is held, would change')
      .argument('<reading>', 'the id', id),
  ).action(
    act(async ({ signedIn, output }, readingId: Id, options: ListOptions) => {
      const { client } = await signedIn();
      await showReading(client, output, await readingOf(client, readingId), options);
    }),
  );

  group
    .command('apply')
    .description('say yes to a preview, or to a synchronization that is held')
    .argument('<reading>', 'the id', id)
    .option('--yes', 'do not ask')
    .action(
      act(async ({ io, signedIn, output }, readingId: Id, { yes }: { yes?: boolean }) => {
        const { client } = await signedIn();
        if (yes !== true) {
          const reading = await readingOf(client, readingId);
          output.beforeQuestion(readingFields(reading));
          output.rowsBeforeQuestion(groupColumns, reading.groups);
        }
        await confirm(io, 'Do this? Whoever is switched off loses all access at once.', yes);
        const { applyUserSourceReading } = await client.request(ApplyUserSourceReadingDocument, { input: { id: readingId } });
        const { __typename, ...tenant } = expectType(applyUserSourceReading, 'Tenant');
        showSource(output, tenant, 'Yes said. It is being applied.');
      }),
    );

  group
    .command('discard')
    .description('say no to it: everybody stays as they are')
    .argument('<reading>', 'the id', id)
    .action(
      act(async ({ signedIn, output }, readingId: Id) => {
        const { client } = await signedIn();
        const { discardUserSourceReading } = await client.request(DiscardUserSourceReadingDocument, { input: { id: readingId } });
        const { __typename, ...tenant } = expectType(discardUserSourceReading, 'Tenant');
        showSource(output, tenant, 'No said. Nobody is changed.');
      }),
    );
}

async function readingOf(client: StintClient, readingId: Id): Promise<SourceReadingRowFragment> {
  return (await client.request(SourceReadingDocument, { id: readingId })).userSourceReading;
}

/** Refuses a reading that has nothing to show: not yet, or not any more. */
function checkShowable({ id: readingId, tenant, purpose, state, heldBecause }: SourceReadingRowFragment): void {
  const look = `Look at the source: stint entra source show ${tenant?.id ?? '<tenant>'}`;
  if (state === 'READING' || state === 'COMPARING')
    throw new CommandRefusal('NOT_YET', `Entra is still being read. Look again in a moment: stint entra source changes ${readingId}`);
  if (state === 'APPLIED') throw new CommandRefusal('NOT_WAITING', `It was applied; whom it changed is not kept. ${look}`);
  if (state === 'DISCARDED' && purpose === 'PREVIEW' && heldBecause !== null)
    throw new CommandRefusal('NOT_WAITING', `It could not be read: ${heldBecause} Then make a new preview.`);
  if (state === 'DISCARDED') throw new CommandRefusal('NOT_WAITING', `It was discarded, or a newer one has taken its place. ${look}`);
}

function isRead({ state }: SourceReadingRowFragment): boolean {
  return state !== 'READING' && state !== 'COMPARING';
}

async function showReading(
  client: StintClient,
  output: Output,
  reading: SourceReadingRowFragment,
  options: ListOptions,
  sentence?: string,
): Promise<void> {
  checkShowable(reading);
  const changes = await readPages(
    rowLimit(options),
    async (at) => (await client.request(SourceChangesDocument, { id: reading.id, ...at })).userSourceReading.changes,
  );
  // What ends meanwhile has no more rows: those that were read may not be all.
  checkShowable(await readingOf(client, reading.id));
  output.thing({ ...reading, changes }, readingFields(reading), sentence);
  output.block('');
  output.rows(changes, changeColumns, 'It would change nobody.');
}
