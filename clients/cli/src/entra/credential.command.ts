import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id } from '../arguments.ts';
import { AddEntraCertificateDocument, AddEntraSecretDocument, RemoveEntraCredentialDocument } from '../generated/operations.ts';
import { readSecret } from '../prompt.ts';
import { found, type Act } from '../session.ts';
import { refuseExistingFile, writeNewFile } from '../text-file.ts';
import { showConnection } from './connection-fields.ts';

/** What proves Stint in Entra. A new one stands beside the one in use until it works. */
export function addCredentialCommands(group: Command, act: Act): void {
  group
    .command('certificate')
    .description('make a key pair and a certificate to upload in Entra; the private key stays in Stint')
    .argument('<tenant>', "the tenant's id", id)
    .requiredOption('--out <file>', 'a new file for the certificate (PEM), to upload under "Certificates & secrets"')
    .action(
      act(async ({ signedIn, output }, tenantId: Id, { out }: { out: string }) => {
        await refuseExistingFile(out);
        const { client } = await signedIn();
        const { addEntraCertificate } = await client.request(AddEntraCertificateDocument, { input: { tenantId } });
        const { __typename, ...connection } = expectType(addEntraCertificate, 'EntraConnection');
        const made = connection.credentials.findLast(({ kind, state }) => kind === 'CERTIFICATE' && state === 'NEW');
        await writeNewFile(out, found(made?.certificatePem, 'new certificate'));
        showConnection(output, connection, `Upload ${out} in Entra, then: stint entra verify ${tenantId}`);
      }),
    );

  group
    .command('secret')
    .description('take a client secret that was made in Entra, from stdin; a certificate is the better way')
    .argument('<tenant>', "the tenant's id", id)
    .requiredOption('--ends <day>', 'the day on which it ends, as Entra shows it: 2027-05-31')
    .action(
      act(async ({ io, signedIn, output }, tenantId: Id, { ends: endsOn }: { ends: string }) => {
        const { client } = await signedIn();
        const secret = await readSecret(io, 'The value of the client secret (not its id):');
        const { addEntraSecret } = await client.request(AddEntraSecretDocument, { input: { tenantId, secret, endsOn } });
        const { __typename, ...connection } = expectType(addEntraSecret, 'EntraConnection');
        showConnection(output, connection, `Taken. Now: stint entra verify ${tenantId}`);
      }),
    );

  group
    .command('remove-credential')
    .description('remove a credential that is not in use')
    .argument('<tenant>', "the tenant's id", id)
    .argument('<credential>', 'the id', id)
    .action(
      act(async ({ signedIn, output }, tenantId: Id, credentialId: Id) => {
        const { client } = await signedIn();
        const { removeEntraCredential } = await client.request(RemoveEntraCredentialDocument, { input: { tenantId, credentialId } });
        const { __typename, ...connection } = expectType(removeEntraCredential, 'EntraConnection');
        showConnection(output, connection, 'Removed. Remove it in Entra as well.');
      }),
    );
}
