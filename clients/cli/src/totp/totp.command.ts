import type { Command } from 'commander';
import { generateHpkeKeyPair, openSealed } from '@stint/crypto';
import { expectType, ProblemError, type StintClient } from '@stint/sdk';
import { toString as drawQr } from 'qrcode';
import { CommandRefusal, UsageError } from '../failure.ts';
import { ConfirmTotpDocument, EnrollTotpDocument, TotpViewerDocument, type ConfirmTotpMutation } from '../generated/operations.ts';
import { isInteractive } from '../io.ts';
import { ask, readStdinLine } from '../prompt.ts';
import { instant } from '../render/values.ts';
import type { Act, Session } from '../session.ts';

/** The purpose under which the server seals a new TOTP secret; the associated data is the technician's id. */
const sealingInfo = 'stint-totp-enrollment-v1';

export function addTotpCommands(program: Command, act: Act): void {
  const group = program.command('totp').description('your codes from an authenticator app');

  group
    .command('enroll')
    .description('make a new secret, show it once as a QR code, and confirm it')
    .action(
      act(async (session) => {
        const { io, output } = session;
        const { client } = await session.signedIn();
        const { technician } = (await client.request(TotpViewerDocument)).viewer;
        if (technician === null) throw new CommandRefusal('FORBIDDEN', 'Only technicians have TOTP.');
        const uri = await newSecret(client, technician.id);
        const secret = new URL(uri).searchParams.get('secret') ?? '';
        output.block(await drawQr(uri, { type: output.colours ? 'terminal' : 'utf8', small: true, errorCorrectionLevel: 'L' }));
        const next = 'Scan this with your authenticator app, or type the secret into it. It is shown only now.';
        output.thing(
          { uri },
          [
            ['account', technician.email],
            ['secret', secret.replaceAll(/.{4}(?=.)/g, '$& ')],
          ],
          next,
        );
        if (output.json || !isInteractive(io)) return output.note('It counts from "stint totp confirm" on.');
        await confirmInteractively(session, client);
      }),
    );

  group
    .command('confirm')
    .description('end the enrolment with a first code from the app')
    .argument('[code]', 'six digits; asked for when left out, "-" reads them from stdin')
    .action(
      act(async (session, given: string | undefined) => {
        const { client } = await session.signedIn();
        const code = given === '-' ? await readStdinLine(session.io, 'The code:') : (given ?? (await askForCode(session)));
        told(session, await confirmTotp(client, code));
      }),
    );
}

async function newSecret(client: StintClient, technicianId: string): Promise<string> {
  const reader = await generateHpkeKeyPair();
  const { enrollTotp } = await client.request(EnrollTotpDocument, { input: { recipientKey: reader.publicKey } });
  const sealed = expectType(enrollTotp, 'TotpEnrollment');
  const uri = await openSealed({ privateKey: reader.privateKey, info: sealingInfo, aad: technicianId }, sealed).catch(() => null);
  if (uri === null)
    throw new CommandRefusal('SEAL_BROKEN', 'The secret that came was not sealed for you. Nothing was enrolled; tell an administrator.');
  return uri.toString('utf8');
}

async function confirmInteractively(session: Session, client: StintClient): Promise<void> {
  for (;;) {
    try {
      return told(session, await confirmTotp(client, await askForCode(session)));
    } catch (error) {
      // A mistyped code must not cost the secret that has just been scanned.
      if (!(error instanceof UsageError || (error instanceof ProblemError && error.type === 'TotpRefused'))) throw error;
      session.output.note(error.message);
    }
  }
}

function askForCode({ io }: Session): Promise<string> {
  return ask(io, 'The code that the app shows now:', 'Give the code that the app shows now, or "-" to read it from stdin.');
}

type Confirmed = Omit<Extract<ConfirmTotpMutation['confirmTotp'], { __typename: 'Technician' }>, '__typename'>;

async function confirmTotp(client: StintClient, typed: string): Promise<Confirmed> {
  const code = typed.replaceAll(/\s/g, '');
  if (!/^[0-9]{6}$/.test(code)) throw new UsageError('A code is six digits.');
  const { confirmTotp: answer } = await client.request(ConfirmTotpDocument, { input: { code } });
  if (answer.__typename === 'TotpLocked')
    throw new ProblemError('TotpLocked', `${answer.message} The earliest next try is at ${instant(answer.retryAt)}.`, {
      retryAt: answer.retryAt,
    });
  const { __typename, ...technician } = expectType(answer, 'Technician');
  return technician;
}

function told({ output }: Session, technician: Confirmed): void {
  output.thing(technician, [['account', technician.email]], 'Confirmed. Codes from this app now count.');
}
