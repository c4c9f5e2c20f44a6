import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id } from '../arguments.ts';
import {
  MySessionsDocument,
  RevokeSessionDocument,
  SessionsOfTechnicianDocument,
  type SessionRowFragment,
} from '../generated/operations.ts';
import { instant, words } from '../render/values.ts';
import { found, type Act } from '../session.ts';

/** `session …`: where people are signed in. */
export function addSessionCommands(program: Command, act: Act): void {
  const group = program.command('session').description('where you, or another technician, are signed in');

  group
    .command('list')
    .description('list sign-in sessions')
    .option('--technician <technician>', 'whose; your own by default', id)
    .action(
      act(async ({ signedIn, output }, { technician }: { technician?: Id }) => {
        const { client } = await signedIn();
        const items =
          technician === undefined
            ? (await client.request(MySessionsDocument)).viewer.sessions
            : found((await client.request(SessionsOfTechnicianDocument, { id: technician })).technician, 'technician').sessions;
        const columns = [
          { title: 'ID', show: (session: SessionRowFragment) => session.id },
          { title: 'WITH', show: (session: SessionRowFragment) => session.client },
          { title: 'BROWSER', show: (session: SessionRowFragment) => session.userAgent },
          { title: 'BY', show: (session: SessionRowFragment) => words(session.signedInBy) },
          { title: 'SIGNED IN', show: (session: SessionRowFragment) => instant(session.createdAt) },
          { title: 'LAST USED', show: (session: SessionRowFragment) => instant(session.lastUsedAt) },
          { title: '', show: (session: SessionRowFragment) => (session.current ? 'this one' : '') },
        ];
        output.list({ items: [...items], more: false }, columns, 'Nowhere.');
      }),
    );

  group
    .command('revoke')
    .description('end a sign-in session at once')
    .argument('<session>', 'the id', id)
    .action(
      act(async ({ signedIn, output }, sessionId: Id) => {
        const { client } = await signedIn();
        const { revokeSession } = await client.request(RevokeSessionDocument, { input: { id: sessionId } });
        const { __typename, ...session } = expectType(revokeSession, 'SignInSession');
        output.thing(session, [['id', session.id]], 'Session ended.');
      }),
    );
}
