import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id } from '../arguments.ts';
import { RotateVaultKeyDocument, TenantVaultDocument, type TenantVaultQuery } from '../generated/operations.ts';
import type { Field } from '../render/table.ts';
import { instant } from '../render/values.ts';
import { found, type Act } from '../session.ts';
import { addExportCommand } from './export.command.ts';
import { addOfflineKeyCommands, offlineKeyFields } from './offline-key.command.ts';
import { addOpenCommand } from './open.command.ts';

type VaultKey = NonNullable<NonNullable<TenantVaultQuery['tenant']>['vaultKey']>;

/** `vault …`: the keys of the vault, and what remains when the server is gone. */
export function addVaultCommands(program: Command, act: Act): void {
  const vault = program.command('vault').description('keys of the vault, and emergency exports');
  const key = vault.command('key').description('the key to which the agents of a tenant seal passwords');

  key
    .command('show')
    .description('show the public keys of a tenant: its vault key, and its offline key')
    .argument('<tenant>', "the tenant's id", id)
    .action(
      act(async ({ signedIn, output }, tenantId: Id) => {
        const { client } = await signedIn();
        const tenant = found((await client.request(TenantVaultDocument, { tenantId })).tenant, 'tenant');
        output.thing(tenant, [['tenant', tenant.name], ...vaultKeyFields(tenant.vaultKey), ...offlineKeyFields(tenant.offlineKey)]);
      }),
    );

  key
    .command('rotate')
    .description('make a new vault key; passwords under the old one stay readable, and move to it in the background')
    .argument('<tenant>', "the tenant's id", id)
    .action(
      act(async ({ signedIn, output }, tenantId: Id) => {
        const { client } = await signedIn();
        const { rotateVaultKey } = await client.request(RotateVaultKeyDocument, { input: { tenantId } });
        const { __typename, ...made } = expectType(rotateVaultKey, 'VaultKey');
        output.thing(made, vaultKeyFields(made), 'New vault key made. Agents seal to it from their next check-in on.');
      }),
    );

  addOfflineKeyCommands(vault, act);
  addExportCommand(vault, act);
  addOpenCommand(vault, act);
}

function vaultKeyFields(key: VaultKey | null): Field[] {
  if (key === null) return [['vault key', 'none yet: it is made with its first use']];
  return [
    ['vault key', key.publicKey],
    ['its id', key.id],
    ['made', instant(key.createdAt)],
    ['passwords under older keys', String(key.behind)],
  ];
}
