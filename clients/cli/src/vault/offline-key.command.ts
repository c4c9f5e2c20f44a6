import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id } from '../arguments.ts';
import { UsageError } from '../failure.ts';
import { SetOfflineKeyDocument, TenantVaultDocument } from '../generated/operations.ts';
import { isInteractive, type Io } from '../io.ts';
import { confirm, readSecret } from '../prompt.ts';
import type { Field } from '../render/table.ts';
import { found, type Act, type Session } from '../session.ts';
import { refuseExistingFile, writeNewFile } from '../text-file.ts';
import { fingerprint, makeOfflineKey, publicKeyOf } from './offline-key.ts';

const leastCharacters = 12;

/** `vault offline-key …`: the key to which emergency exports are sealed. */
export function addOfflineKeyCommands(vault: Command, act: Act): void {
  const group = vault.command('offline-key').description('the key to which emergency exports are sealed');

  group
    .command('make')
    .description('make an offline key: on a machine without network, for this needs none')
    .requiredOption('--out <file>', 'a new file for the private half, under a passphrase; the public half goes to <file>.pub')
    .action(
      act(async ({ io, output }, { out }: { out: string }) => {
        const publicFile = `${out}.pub`;
        await refuseExistingFile(out);
        await refuseExistingFile(publicFile);
        const key = await makeOfflineKey(await newPassphrase(io));
        await writeNewFile(out, `${JSON.stringify(key, null, 2)}\n`);
        await writeNewFile(publicFile, `${key.publicKey}\n`);
        const { publicKey } = key;
        output.thing(
          { publicKey, fingerprint: fingerprint(publicKey), file: out, publicFile },
          [
            ['public key', publicKey],
            ['fingerprint', fingerprint(publicKey)],
            ['private half', `${out}: keep it and its passphrase offline, apart from each other, twice`],
            ['public half', `${publicFile}: for "stint vault offline-key set"`],
          ],
          'Offline key made. Without passphrase or file, exports to it never open again.',
        );
      }),
    );

  group
    .command('set')
    .description('have exports of a tenant, and of those below, sealed to this key')
    .argument('<tenant>', "the tenant's id", id)
    .argument('<key>', 'the public key, or the .pub file that holds it')
    .option('--yes', 'do not ask')
    .action(
      act(async (session, tenantId: Id, keyOrFile: string, { yes }: { yes?: boolean }) => {
        const publicKey = await publicKeyOf(keyOrFile);
        const { client } = await session.signedIn();
        if (yes !== true) {
          const tenant = found((await client.request(TenantVaultDocument, { tenantId })).tenant, 'tenant');
          session.output.beforeQuestion([
            ['tenant', tenant.name],
            ['fingerprint', fingerprint(publicKey)],
          ]);
        }
        await confirm(session.io, 'Whoever has the private half opens exports. Is this the fingerprint that you noted?', yes);
        await change(session, tenantId, publicKey, 'Set. Exports of this tenant, and of those below, are sealed to this key from now on.');
      }),
    );

  group
    .command('remove')
    .description("take a tenant's own offline key away; one above it counts again")
    .argument('<tenant>', "the tenant's id", id)
    .option('--yes', 'do not ask')
    .action(
      act(async (session, tenantId: Id, { yes }: { yes?: boolean }) => {
        await confirm(session.io, 'Take the offline key of this tenant away?', yes);
        await change(session, tenantId, null, 'Taken away. Exports that were made before still open.');
      }),
    );
}

async function change({ output, signedIn }: Session, tenantId: Id, publicKey: string | null, sentence: string): Promise<void> {
  const { client } = await signedIn();
  const { setOfflineKey } = await client.request(SetOfflineKeyDocument, { input: { tenantId, publicKey } });
  const { __typename, ...tenant } = expectType(setOfflineKey, 'Tenant');
  output.thing(tenant, [['tenant', tenant.name], ...offlineKeyFields(tenant.offlineKey)], sentence);
}

/** The offline key that counts, as it is shown to people. */
export function offlineKeyFields(publicKey: string | null): Field[] {
  if (publicKey === null) return [['offline key', { text: 'none: exports are not possible', tone: 'warning' }]];
  return [
    ['offline key', publicKey],
    ['its fingerprint', fingerprint(publicKey)],
  ];
}

/** Typed twice, for nobody could open anything after a slip. */
async function newPassphrase(io: Io): Promise<string> {
  const passphrase = await readSecret(io, `A passphrase for the private half, ${leastCharacters} characters at least:`);
  if ([...passphrase].length < leastCharacters)
    throw new UsageError(`The passphrase must have ${leastCharacters} characters at least. Nothing was made.`);
  if (isInteractive(io) && (await readSecret(io, 'Once more:')) !== passphrase)
    throw new UsageError('The two were not the same. Nothing was made.');
  return passphrase;
}
