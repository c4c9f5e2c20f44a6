import type { Command } from 'commander';
import { displayName, email } from '@stint/contracts';
import { text } from '../arguments.ts';
import { readStdinLine } from '../prompt.ts';
import type { Act } from '../session.ts';
import { parseInvitation } from './invitation.ts';
import { signIn, type Details } from './sign-in.ts';

interface SignInOptions extends Details {
  url?: string;
  allowHttp?: boolean;
  replace?: boolean;
}

export function addSignInCommand(program: Command, act: Act): void {
  program
    .command('sign-in')
    .description('redeem an invitation and keep who you are as a profile on this machine')
    .argument('<link>', 'the invitation\'s link, or "-" to read it from stdin')
    .option('--name <name>', 'your name as others will see it', text(displayName))
    .option('--email <email>', "first administrator's link only: your address", text(email))
    .option('--msp <name>', "first administrator's link only: the MSP's name", text(displayName))
    .option('--url <address>', "Stint's address, where only the token was given")
    .option('--replace', "give up the profile's present key, if it has one")
    .option('--allow-http', 'accept a link without TLS to another machine')
    .action(
      act(async (session, link: string, { name, email: address, msp, ...options }: SignInOptions) => {
        const invitation = parseInvitation(link === '-' ? await readStdinLine(session.io, 'The link:') : link, options);
        const details: Details = {
          ...(name === undefined ? {} : { name }),
          ...(address === undefined ? {} : { email: address }),
          ...(msp === undefined ? {} : { msp }),
        };
        const { technician, tenant, credentialId } = await signIn(session, invitation, details, options.replace === true);
        const profile = { name: session.profileName, url: invitation.url, credentialId };
        session.output.thing(
          { profile, technician, tenant },
          [
            ['name', technician.displayName],
            ['email', technician.email],
            ['tenant', tenant?.name ?? ''],
            ['tenant id', tenant?.id ?? ''],
            ['profile', session.profileName],
            ['signs in to', invitation.url],
          ],
          'Signed in. The private key is on this machine only.',
        );
      }),
    );
}
