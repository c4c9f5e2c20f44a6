import type { Command } from 'commander';
import { reason, ticket } from '@stint/contracts';
import { newRevealKey, openReveal } from '@stint/crypto';
import { newId, type Id } from '@stint/kernel';
import { expectType, ProblemError } from '@stint/sdk';
import { id, text, wholeNumber } from '../arguments.ts';
import { CommandRefusal, UsageError, type ExitCode } from '../failure.ts';
import {
  CheckOutLapsAccountDocument,
  RevealLapsPasswordDocument,
  type LapsAccountRowFragment,
  type SealedPasswordFragment,
} from '../generated/operations.ts';
import { instant } from '../render/values.ts';
import type { Act, Session } from '../session.ts';
import { showPasswords, type Display } from './password-display.ts';

interface ReadOptions extends Display {
  reason: string;
  ticket?: string;
}

interface Revealed {
  account: LapsAccountRowFragment;
  candidates: SealedPasswordFragment[];
}
type RevealResult = Parameters<typeof expectType>[0];

const leastSeconds = 300;
const mostSeconds = 28_800;

/** Commands that show passwords. */
export function addRevealCommands(group: Command, act: Act): void {
  withReadOptions(group.command('reveal').description('show the password of an account; recorded first, and changed afterwards'))
    .option('--history', 'former passwords too: for a computer that was restored from a snapshot')
    .action(
      act(async (session, accountId: Id, options: ReadOptions & { history?: boolean }) => {
        const { client } = await session.signedIn();
        return read(session, accountId, options, async (asked) => {
          const input = { ...asked, history: options.history === true };
          return (await client.request(RevealLapsPasswordDocument, { input })).revealLapsPassword;
        });
      }),
    );

  withReadOptions(
    group
      .command('check-out')
      .description('show the password and keep everybody else from it, until check-in or the end of the time; not changed before'),
  )
    .option('--hours <hours>', 'for how long at most', wholeNumber(1, mostSeconds / 3600))
    .option('--minutes <minutes>', 'or in minutes, or both', wholeNumber(1, mostSeconds / 60))
    .action(
      act(async (session, accountId: Id, options: ReadOptions & { hours?: number; minutes?: number }) => {
        const seconds = (options.hours ?? 0) * 3600 + (options.minutes ?? 0) * 60;
        if (seconds < leastSeconds || seconds > mostSeconds)
          throw new UsageError('Say for how long with --hours and --minutes: 5 minutes at least, 8 hours at most.');
        const { client } = await session.signedIn();
        return read(session, accountId, options, async (asked) => {
          const input = { ...asked, seconds };
          return (await client.request(CheckOutLapsAccountDocument, { input })).checkOutLapsAccount;
        });
      }),
    );
}

function withReadOptions(command: Command): Command {
  return command
    .argument('<account>', 'the id', id)
    .requiredOption('--reason <text>', 'why; it stands in the audit log', text(reason))
    .option('--ticket <text>', 'the ticket; some customers demand one', text(ticket))
    .option('--phonetic', 'spelled as well, to be said on the phone')
    .option('--qr', 'as a QR code as well');
}

/** Asks with a key pair that lives for this one answer. */
async function read(
  { output }: Session,
  accountId: Id,
  options: ReadOptions,
  ask: (asked: { id: Id; accountId: Id; reason: string; ticket: string | null; recipientKey: string }) => Promise<RevealResult>,
): Promise<ExitCode> {
  const key = await newRevealKey();
  const { reason: why, ticket: number = null } = options;
  const answer = await ask({ id: newId(), accountId, reason: why, ticket: number, recipientKey: key.publicKey });
  const { account, candidates } = revealed(answer);
  const opened = await openReveal({ privateKey: key.privateKey, accountId }, candidates);
  if (opened.every(({ password }) => password === null))
    throw new CommandRefusal(
      'SEAL_BROKEN',
      'The passwords that came were not sealed for you, or not for this account. Nothing is shown; tell an administrator.',
    );
  return showPasswords(output, account, opened, options);
}

function revealed(answer: RevealResult): Revealed {
  const { __typename: type, message, retryAt, until } = answer as Record<'__typename' | 'message' | 'retryAt' | 'until', string>;
  if (type === 'RevealsLimited') throw new ProblemError(type, `${message} The next one: ${instant(retryAt)}.`, { retryAt });
  if (type === 'LapsCheckedOut') throw new ProblemError(type, `${message} It ends at ${instant(until)} at the latest.`, { until });
  return expectType(answer, 'RevealedLapsPassword') as Revealed;
}
