import type { Command } from 'commander';
import { expectType, type StintClient } from '@stint/sdk';
import { DenyLoginDocument, LoginByCodeDocument, type LoginShownFragment } from '../generated/operations.ts';
import type { Profile } from '../profile/profile.ts';
import { readStdinLine } from '../prompt.ts';
import type { Cell, Field } from '../render/table.ts';
import { duration, instant, words } from '../render/values.ts';
import { found, type Act, type Session } from '../session.ts';
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
    .description('show a login that waits, and where to approve it with your passkey')
    .argument('<code>', 'the code or the address in the QR')
    .action(
      act(async (session, reference: string) => {
        const { profile, code, login } = await openLogin(session, reference);
        const approveAt = `${profile.url}/l/${code}`;
        session.output.thing({ ...login, approveAt }, [...loginFields(login), ['approve at', login.state === 'PENDING' ? approveAt : '']]);
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
