import type { Command } from 'commander';
import { generateHpkeKeyPair, openEntraCredential } from '@stint/crypto';
import type { Id } from '@stint/kernel';
import { expectType, type StintClient } from '@stint/sdk';
import { id, wholeNumber } from '../arguments.ts';
import { CommandRefusal } from '../failure.ts';
import { EntraCredentialOfDocument, RenewEntraCredentialDocument, type EntraCredentialOfQuery } from '../generated/operations.ts';
import { lookUntil } from '../look-until.ts';
import { instant, words } from '../render/values.ts';
import { found, type Act } from '../session.ts';

type Grant = NonNullable<EntraCredentialOfQuery['grant']>;
type Ready = Grant & { tenant: { id: Id }; entraCredential: NonNullable<Grant['entraCredential']> };

/** `entra credential`: a credential of one's own access, made anew for a key that lives for this one call. */
export function addOneTimeCredentialCommand(group: Command, act: Act): void {
  group
    .command('credential')
    .description('have the one-time credential of your access made anew, and show it here; the one from before stops working')
    .argument('<grant>', 'the id', id)
    .option('--seconds <seconds>', 'how long to wait for it', wholeNumber(1, 600), 120)
    .action(
      act(async ({ signedIn, output }, grantId: Id, { seconds }: { seconds: number }) => {
        const { client } = await signedIn();
        const key = await generateHpkeKeyPair();
        const { renewEntraCredential } = await client.request(RenewEntraCredentialDocument, {
          input: { grantId, recipientKey: key.publicKey },
        });
        expectType(renewEntraCredential, 'Grant');
        const { tenant, entraCredential } = await made(client, grantId, seconds);
        const { kind, userPrincipalName, endsAt, notice } = entraCredential;
        const reader = { privateKey: key.privateKey, tenantId: tenant.id, grantId };
        const credential = await openEntraCredential(reader, entraCredential).catch(() => {
          throw new CommandRefusal(
            'SEAL_BROKEN',
            'What came was not sealed for you, or not for this access. Nothing is shown; tell an administrator.',
          );
        });
        output.thing({ kind, userPrincipalName, credential, endsAt, notice }, [
          ['sign in as', userPrincipalName],
          [words(kind), { text: credential, tone: 'heading' }],
          ['works until', instant(endsAt)],
          ['to know', notice ?? ''],
        ]);
      }),
    );
}

/** Asks until it is there. */
async function made(client: StintClient, grantId: Id, seconds: number): Promise<Ready> {
  const grant = await lookUntil(
    seconds,
    async () => found((await client.request(EntraCredentialOfDocument, { grantId })).grant, 'grant'),
    (seen) => isReady(seen) || seen.state !== 'ACTIVE',
  );
  if (isReady(grant)) return grant;
  if (grant.state !== 'ACTIVE') throw new CommandRefusal('NOT_ACTIVE', `The access is ${words(grant.state)}. Ask for access again.`);
  throw new CommandRefusal('NOT_YET', `The credential is not there yet. ${grant.entraAccess?.problem ?? 'Try again in a moment.'}`);
}

function isReady(grant: Grant): grant is Ready {
  return grant.tenant != null && grant.entraCredential !== null;
}
