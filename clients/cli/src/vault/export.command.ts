import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import { reason } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { expectType, type StintClient } from '@stint/sdk';
import { id, text } from '../arguments.ts';
import { CommandRefusal } from '../failure.ts';
import { ExportVaultDocument, TenantVaultDocument, type ExportVaultInput, type ExportVaultMutation } from '../generated/operations.ts';
import { found, type Act } from '../session.ts';
import { refuseExistingFile, writeNewFile } from '../text-file.ts';
import { writeExport, type ExportedAccount } from './export-file.ts';
import { fingerprint } from './offline-key.ts';

type Page = Extract<ExportVaultMutation['exportVault'], { __typename: 'VaultExport' }>;

/** `vault export`: one tenant's passwords for the day on which the server is gone. */
export function addExportCommand(vault: Command, act: Act): void {
  vault
    .command('export')
    .description("write a tenant's passwords to a file that opens with the offline key alone; not those of tenants below")
    .argument('<tenant>', "the tenant's id", id)
    .requiredOption('--reason <text>', 'why; it stands in the audit log', text(reason))
    .requiredOption('--out <file>', 'a new file')
    .action(
      act(async ({ signedIn, output }, tenantId: Id, options: { reason: string; out: string }) => {
        const { out: file, reason: why } = options;
        await refuseExistingFile(file);
        const { client, profile } = await signedIn();
        const { id: own, name } = found((await client.request(TenantVaultDocument, { tenantId })).tenant, 'tenant');
        const exportedAt = new Date().toISOString();
        const { accounts, offlineKey } = await readAll(client, tenantId, why);
        const content = writeExport({ server: profile.url, tenant: { id: own, name }, exportedAt, reason: why, offlineKey, accounts });
        await writeNewFile(file, content);
        const sha256 = createHash('sha256').update(content).digest('hex');
        output.thing(
          { file, tenantId, accounts: accounts.length, offlineKey, fingerprint: fingerprint(offlineKey), sha256 },
          [
            ['file', file],
            ['tenant', name],
            ['accounts', String(accounts.length)],
            ['sealed to', fingerprint(offlineKey)],
            ['SHA-256', sha256],
          ],
          'Exported. Passwords that change from now on are not in it: export again, as often as passwords change.',
        );
        if (accounts.length === 0) output.note('The vault has no password of this tenant yet.');
      }),
    );
}

/** All pages; they must all be sealed to one key. */
async function readAll(client: StintClient, tenantId: Id, why: string): Promise<{ accounts: ExportedAccount[]; offlineKey: string }> {
  const accounts: ExportedAccount[] = [];
  let page = await readPage(client, { tenantId, reason: why, after: null });
  const { offlineKey } = page;
  for (;;) {
    accounts.push(...page.accounts);
    const { hasNextPage, endCursor } = page.pageInfo;
    if (!hasNextPage) return { accounts, offlineKey };
    page = await readPage(client, { tenantId, reason: why, after: endCursor });
    if (page.offlineKey !== offlineKey)
      throw new CommandRefusal('OFFLINE_KEY_CHANGED', 'The offline key was changed meanwhile. Nothing was written; export once more.');
  }
}

async function readPage(client: StintClient, input: ExportVaultInput): Promise<Page> {
  return expectType((await client.request(ExportVaultDocument, { input })).exportVault, 'VaultExport');
}
