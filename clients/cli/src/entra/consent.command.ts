import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id } from '../arguments.ts';
import { BeginEntraConsentDocument, FinishEntraConsentDocument } from '../generated/operations.ts';
import { readStdinLine } from '../prompt.ts';
import { instant } from '../render/values.ts';
import type { Act } from '../session.ts';
import { exitCodeOf, showConnection } from './connection-fields.ts';
import { consentAnswer } from './consent-address.ts';

/** `entra consent`: who begins a consent must finish it, in the same session; so the address on which the browser comes back is asked for. */
export function addConsentCommand(group: Command, act: Act): void {
  group
    .command('consent')
    .description(
      "have the customer's administrator consent on Microsoft's page; reads the address on which the browser comes back from stdin",
    )
    .argument('<tenant>', "the tenant's id", id)
    .action(
      act(async ({ io, signedIn, output }, tenantId: Id) => {
        const { client } = await signedIn();
        const { beginEntraConsent } = await client.request(BeginEntraConsentDocument, { input: { tenantId } });
        const { url, expiresAt } = expectType(beginEntraConsent, 'EntraConsent');
        // On stderr, and with --json too: without it nobody can go on.
        io.stderr.write(`Consent as an administrator of the customer, until ${instant(expiresAt)}:\n${url}\n`);
        await io.openBrowser(url).catch(() => output.note('No browser could be opened. Open the address yourself.'));
        const back = await readStdinLine(io, 'The whole address on which the browser came back:');
        const { finishEntraConsent } = await client.request(FinishEntraConsentDocument, { input: consentAnswer(back) });
        const { __typename, ...connection } = expectType(finishEntraConsent, 'EntraConnection');
        showConnection(output, connection, connection.usable ? 'Connected: access can be given.' : 'Consent was given.');
        return exitCodeOf(connection);
      }),
    );
}
