import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id } from '../arguments.ts';
import {
  IdentityProviderOfDocument,
  RemoveIdentityProviderDocument,
  SetIdentityProviderDocument,
  type IdentityProviderRowFragment,
} from '../generated/operations.ts';
import { confirm, readStdinLine } from '../prompt.ts';
import type { Field } from '../render/table.ts';
import { found, type Act } from '../session.ts';

interface Chosen {
  clientId: string;
  clientSecretStdin?: boolean;
  passkeyToo?: boolean;
  required?: boolean;
}

/** `identity-provider …`: the MSP's own sign-in, by OpenID Connect. */
export function addIdentityProviderCommands(program: Command, act: Act): void {
  const group = program.command('identity-provider').description("your own sign-in (OpenID Connect) for a tenant's technicians");

  group
    .command('show')
    .description("show what is set on a tenant; the nearest one above a technician's home counts")
    .argument('<tenant>', "the tenant's id", id)
    .action(
      act(async ({ signedIn, output }, tenantId: Id) => {
        const { client } = await signedIn();
        const { identityProvider } = found((await client.request(IdentityProviderOfDocument, { tenantId })).tenant, 'tenant');
        const provider = found(identityProvider, 'identity provider set on this tenant');
        output.thing(provider, fields(provider));
      }),
    );

  group
    .command('set')
    .description('set it, with all its options')
    .argument('<tenant>', "the tenant's id", id)
    .argument('<issuer>', 'the issuer, such as https://login.example.com')
    .requiredOption('--client-id <id>', "Stint's client id there")
    .option('--client-secret-stdin', 'read the client secret from stdin; without one a key is made here, to be registered there')
    .option('--passkey-too', 'ask for a passkey besides')
    .option('--required', 'let nobody sign in by passkey alone')
    .action(
      act(async ({ io, signedIn, output }, tenantId: Id, issuer: string, chosen: Chosen) => {
        const { client } = await signedIn();
        const { clientId, passkeyToo = false, required = false } = chosen;
        const secret = chosen.clientSecretStdin === true ? { clientSecret: await readStdinLine(io, 'The client secret:') } : {};
        const input = { tenantId, issuer, clientId, passkeyToo, required, ...secret };
        const { setIdentityProvider } = await client.request(SetIdentityProviderDocument, { input });
        const { __typename, ...provider } = expectType(setIdentityProvider, 'IdentityProvider');
        output.thing(provider, fields(provider), 'Set.');
      }),
    );

  group
    .command('remove')
    .description('remove it: from then on its technicians sign in by passkey')
    .argument('<tenant>', "the tenant's id", id)
    .option('--yes', 'do not ask')
    .action(
      act(async ({ io, signedIn, output }, tenantId: Id, { yes }: { yes?: boolean }) => {
        const { client } = await signedIn();
        await confirm(io, 'Remove the identity provider? Whom it knew by which account is forgotten.', yes);
        const { removeIdentityProvider } = await client.request(RemoveIdentityProviderDocument, { input: { tenantId } });
        const { id: removedFrom } = expectType(removeIdentityProvider, 'Tenant');
        output.thing({ tenantId: removedFrom }, [['tenant', removedFrom]], 'Removed.');
      }),
    );
}

function fields(provider: IdentityProviderRowFragment): Field[] {
  return [
    ['issuer', provider.issuer],
    ['client id', provider.clientId],
    ['proves itself by', provider.clientPublicKey == null ? 'client secret' : 'key (private_key_jwt); register this one there:'],
    ['key', provider.clientPublicKey ?? ''],
    ['passkey too', provider.passkeyToo ? 'yes' : 'no'],
    ['passkey alone', provider.required ? 'refused' : 'allowed'],
  ];
}
