import type { Command } from 'commander';
import { keyApprovalChallenge, reason, ticket, type KeyApprovalContent } from '@stint/contracts';
import { signDetached } from '@stint/crypto';
import { expectType, type StintClient } from '@stint/sdk';
import { text, wholeNumber } from '../arguments.ts';
import { ApproveLoginDocument, DenyLoginDocument, LoginByCodeDocument, type LoginShownFragment } from '../generated/operations.ts';
import type { Profile } from '../profile/profile.ts';
import { confirm, readStdinLine } from '../prompt.ts';
import type { Cell, Field } from '../render/table.ts';
import { duration, instant, words } from '../render/values.ts';
import { found, type Act, type Session } from '../session.ts';
import { approvalContent, type ApprovalChoice } from './approval.ts';
import { loginCode } from './login-reference.ts';

interface OpenLogin {
  profile: Profile;
  client: StintClient;
  code: string;
  login: LoginShownFragment;
}

export function addLoginCommands(program: Command, act: Act): void {
  const group = program
    .command('login')
    .description('logins that wait at a computer')
    .addHelpText(
      'after',
      '\n<code> is the code under the QR, or the address in it, or "-" to read it from stdin. A code that begins with "-" comes after "--".',
    );

  group
    .command('show')
    .description('show a login that waits')
    .argument('<code>', 'the code or the address in the QR')
    .action(
      act(async (session, reference: string) => {
        const { login } = await openLogin(session, reference);
        session.output.thing(login, loginFields(login));
      }),
    );

  group
    .command('approve')
    .description('show what a login would allow, and approve it with a signature over exactly that')
    .argument('<code>', 'the code or the address in the QR')
    .option('--minutes <minutes>', 'a shorter session than the usual', wholeNumber(1, 480))
    .option('--reason <text>', 'why access is needed', text(reason))
    .option('--ticket <text>', 'the ticket that it is for', text(ticket))
    .option('--yes', 'do not ask')
    .action(
      act(async (session, reference: string, { yes, ...choice }: ApprovalChoice & { yes?: boolean }) => {
        const { profile, client, code, login } = await openLogin(session, reference);
        const content = approvalContent(login, choice);
        session.output.beforeQuestion(contentFields(content, login));
        await confirm(session.io, `Does the computer show ${content.shownNumber}, and do you approve this?`, yes);
        const input = {
          id: login.id,
          code,
          keyId: profile.credentialId,
          signature: signDetached(profile.privateKey, keyApprovalChallenge(content)),
          ...(choice.minutes === undefined ? {} : { sessionSeconds: content.durationSeconds }),
          ...(content.reason === null ? {} : { reason: content.reason }),
          ...(content.ticket === null ? {} : { ticket: content.ticket }),
        };
        const { approveLogin } = await client.request(ApproveLoginDocument, { input });
        const { __typename, ...approved } = expectType(approveLogin, 'LoginRequest');
        session.output.thing(
          approved,
          [
            ['login', stateCell(approved)],
            ['grant', approved.grant?.id ?? ''],
            ['account', approved.grant?.accountName ?? ''],
          ],
          'Approved.',
        );
      }),
    );

  group
    .command('deny')
    .description('refuse a login')
    .argument('<code>', 'the code or the address in the QR')
    .action(
      act(async (session, reference: string) => {
        const { client, code, login } = await openLogin(session, reference);
        const { denyLogin } = await client.request(DenyLoginDocument, { input: { id: login.id, code } });
        const { __typename, ...denied } = expectType(denyLogin, 'LoginRequest');
        session.output.thing(denied, loginFields(denied), 'Denied.');
      }),
    );
}

async function openLogin(session: Session, reference: string): Promise<OpenLogin> {
  const { profile, client } = await session.signedIn();
  const code = loginCode(reference === '-' ? await readStdinLine(session.io, 'The code or address:') : reference, profile.url);
  const { loginRequestByCode } = await client.request(LoginByCodeDocument, { code });
  return { profile, client, code, login: found(loginRequestByCode, 'login') };
}

function contentFields(content: KeyApprovalContent, login: LoginShownFragment): Field[] {
  return [
    ['customer', content.tenantName],
    ['customer id', content.tenantId],
    ['computer', content.hostName],
    ['computer id', content.deviceId],
    ['system', login.device?.platform ?? ''],
    ['number', { text: content.shownNumber, tone: 'heading' }],
    ['for', duration(content.durationSeconds)],
    ['reason', content.reason ?? ''],
    ['ticket', content.ticket ?? ''],
    ['waits until', instant(login.expiresAt)],
  ];
}

function loginFields(login: LoginShownFragment): Field[] {
  return [
    ['id', login.id],
    ['state', stateCell(login)],
    ['by', login.method],
    ['customer', login.tenantName],
    ['computer', login.hostName],
    ['system', login.device?.platform ?? ''],
    ['number', login.shownNumber === null ? 'shown at the computer only' : { text: login.shownNumber, tone: 'heading' }],
    ['for', duration(login.sessionSeconds)],
    ['waits until', instant(login.expiresAt)],
    ['failure', login.failure === null ? '' : { text: login.failure, tone: 'bad' }],
  ];
}

function stateCell({ state }: LoginShownFragment): Cell {
  const tone = {
    PENDING: 'warning',
    AWAITING_APPROVAL: 'warning',
    APPROVED: 'good',
    ACTIVE: 'good',
    ENDED: 'quiet',
    DENIED: 'bad',
    EXPIRED: 'quiet',
    FAILED: 'bad',
  } as const;
  return { text: words(state), tone: tone[state] };
}
