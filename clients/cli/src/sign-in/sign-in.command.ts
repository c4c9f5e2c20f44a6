import { generateKeyPairSync } from 'node:crypto';
import type { Command } from 'commander';
import { email } from '@stint/contracts';
import { signInWithBrowser } from '@stint/sdk';
import { text, wholeNumber } from '../arguments.ts';
import { CommandRefusal, UsageError } from '../failure.ts';
import { WhoAmIDocument } from '../generated/operations.ts';
import type { Act, Session } from '../session.ts';
import { gatewayAddress } from './gateway-address.ts';

interface SignInOptions {
  email?: string;
  replace?: boolean;
  allowHttp?: boolean;
  minutes: number;
}

export function addSignInCommand(program: Command, act: Act): void {
  program
    .command('sign-in')
    .description('sign in with your browser and keep the session as a profile on this machine')
    .argument('[address]', "Stint's address; the profile's own, if it has one")
    .option('--email <email>', 'who you are, to save typing it in the browser', text(email))
    .option('--replace', 'let the profile sign in to another address than before')
    .option('--allow-http', 'accept an address without TLS on another machine')
    .option('--minutes <minutes>', 'how long to wait for the browser', wholeNumber(1, 60), 10)
    .action(
      act(async (session, given: string | undefined, options: SignInOptions) => {
        const url = await chosenAddress(session, given, options);
        await signIn(session, url, options);
        const { client } = await session.signedIn();
        const { viewer } = await client.request(WhoAmIDocument);
        session.output.thing(
          { profile: { name: session.profileName, url }, technician: viewer.technician, tenant: viewer.tenant },
          [
            ['name', viewer.technician?.displayName ?? ''],
            ['email', viewer.technician?.email ?? ''],
            ['tenant', viewer.tenant?.name ?? ''],
            ['tenant id', viewer.tenant?.id ?? ''],
            ['profile', session.profileName],
            ['signs in to', url],
          ],
          'Signed in.',
        );
      }),
    );
}

async function chosenAddress({ store, profileName }: Session, given: string | undefined, options: SignInOptions): Promise<string> {
  const present = await store.address(profileName);
  if (given === undefined) {
    if (present !== null) return present;
    throw new UsageError('Where to? Pass the address of your Stint: stint sign-in https://stint.example.com');
  }
  const url = gatewayAddress(given, options);
  if (present === null || present === url || options.replace === true) return url;
  throw new CommandRefusal(
    'PROFILE_EXISTS',
    `Profile "${profileName}" signs in to ${present}. Take another --profile, or pass --replace to give that up.`,
  );
}

async function signIn(
  { io, output, store, profileName }: Session,
  url: string,
  { email: loginHint, minutes }: SignInOptions,
): Promise<void> {
  const dpopKey = generateKeyPairSync('ed25519').privateKey;
  const signal = AbortSignal.timeout(minutes * 60_000);
  const open = async (address: string) => {
    // On stderr, and with --json too: on a machine without a browser it is the only way to go on.
    io.stderr.write(`Sign in with your browser:\n${address}\n`);
    await io.openBrowser(address).catch(() => output.note('No browser could be opened. Open the address yourself, on this machine.'));
  };
  const { refreshToken } = await signInWithBrowser({ url, dpopKey, signal, open, ...(loginHint === undefined ? {} : { loginHint }) }).catch(
    (error: unknown) => {
      if (!signal.aborted) throw error;
      throw new CommandRefusal('SIGN_IN_UNFINISHED', `Nobody signed in within ${minutes} minutes. Nothing was changed.`);
    },
  );
  const pem = dpopKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  await store.save(profileName, { version: 2, url, dpopKey: pem, refreshToken });
}
