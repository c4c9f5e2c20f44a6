import type { Command } from 'commander';
import { reason } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, text, wholeNumber } from '../arguments.ts';
import { EndAllOfTechnicianDocument, ExtendGrantDocument, ShortenGrantDocument } from '../generated/operations.ts';
import { confirm } from '../prompt.ts';
import { instant } from '../render/values.ts';
import type { Act } from '../session.ts';
import { grantFields } from './grant-fields.ts';

const minutes = wholeNumber(1, 480);

/** Commands that change how long access lasts. */
export function addGrantChangeCommands(group: Command, act: Act): void {
  group
    .command('extend')
    .description('more time for your own session, as far as its access rule allows')
    .argument('<grant>', 'the id', id)
    .requiredOption('--minutes <minutes>', 'how much more', minutes)
    .action(
      act(async ({ signedIn, output }, grantId: Id, options: { minutes: number }) => {
        const { client } = await signedIn();
        const input = { id: newId(), grantId, seconds: options.minutes * 60 };
        const { extendGrant } = await client.request(ExtendGrantDocument, { input });
        const { __typename, ...grant } = expectType(extendGrant, 'Grant');
        output.thing(grant, grantFields(grant), `The session lasts until ${instant(grant.expiresAt)} at the latest.`);
      }),
    );

  group
    .command('shorten')
    .description("bring the end of somebody's session closer")
    .argument('<grant>', 'the id', id)
    .requiredOption('--minutes <minutes>', 'how much is left from now', minutes)
    .action(
      act(async ({ signedIn, output }, grantId: Id, options: { minutes: number }) => {
        const { client } = await signedIn();
        const expiresAt = new Date(Date.now() + options.minutes * 60_000).toISOString();
        const { shortenGrant } = await client.request(ShortenGrantDocument, { input: { id: grantId, expiresAt } });
        const { __typename, ...grant } = expectType(shortenGrant, 'Grant');
        output.thing(grant, grantFields(grant), `The session lasts until ${instant(grant.expiresAt)} at the latest.`);
      }),
    );

  group
    .command('end-all')
    .description('end all access of one technician now; exit code 1 when some lies out of your reach')
    .argument('<technician>', "the technician's id", id)
    .requiredOption('--reason <text>', 'why; it stands in the audit log', text(reason))
    .option('--yes', 'do not ask')
    .action(
      act(async ({ io, signedIn, output }, technicianId: Id, options: { reason: string; yes?: boolean }) => {
        await confirm(io, 'End all sessions and waiting logins of this technician now?', options.yes);
        const { client } = await signedIn();
        const input = { technicianId, reason: options.reason };
        const { endAllOfTechnician } = await client.request(EndAllOfTechnicianDocument, { input });
        const { __typename, ...ended } = expectType(endAllOfTechnician, 'EndedAll');
        output.thing(ended, [
          ['sessions ending', String(ended.grants.length)],
          ['logins cancelled', String(ended.cancelledLogins)],
          ['left, out of your reach', ended.outOfReach === 0 ? '' : { text: String(ended.outOfReach), tone: 'bad' }],
        ]);
        return ended.outOfReach === 0 ? 0 : 1;
      }),
    );
}
