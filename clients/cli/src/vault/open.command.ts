import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import { texts } from '../arguments.ts';
import { CommandRefusal, UsageError } from '../failure.ts';
import type { Output } from '../output.ts';
import { readSecret } from '../prompt.ts';
import { renderTable, type Cell } from '../render/table.ts';
import { visible } from '../render/text.ts';
import { instant } from '../render/values.ts';
import type { Act } from '../session.ts';
import { readTextFile } from '../text-file.ts';
import { openExported, readExport, type ExportedAccount, type ExportedPassword, type VaultExportFile } from './export-file.ts';
import { fingerprint, openOfflineKey, readOfflineKey, type OfflineKeyFile } from './offline-key.ts';
import { certainties, showForms, type Display } from './password-display.ts';

interface OpenOptions extends Display {
  key: string;
  account?: string[];
  history?: boolean;
}
type Opened = ExportedAccount & { passwords: ExportedPassword[] };

/** `vault open`: an export, without server, network or profile. */
export function addOpenCommand(vault: Command, act: Act): void {
  vault
    .command('open')
    .description('show the passwords of an export: anywhere, without server, network or sign-in')
    .argument('<file>', 'the export')
    .requiredOption('--key <file>', "the offline key's file; its passphrase is asked for, or read from stdin")
    .option('--account <name>', "only this one: its id, or the computer's name (repeatable)", texts)
    .option('--history', 'former passwords too: for a computer that was restored from a snapshot')
    .option('--phonetic', 'spelled as well, to be said on the phone')
    .option('--qr', 'as QR codes as well')
    .action(
      act(async ({ io, output }, file: string, options: OpenOptions) => {
        const text = await readTextFile(file);
        const content = readExport(text, file);
        const key = await readOfflineKey(options.key);
        refuseOtherKey(content, key);
        const wanted = chosen(content.accounts, options.account ?? []);
        output.note(`SHA-256 of the export: ${createHash('sha256').update(text).digest('hex')}`);
        const privateKey = await openOfflineKey(key, await readSecret(io, 'Passphrase of the offline key:'));
        try {
          await show(output, content, await openAll(content.tenant.id, wanted, privateKey), options);
        } finally {
          privateKey.fill(0);
        }
      }),
    );
}

function refuseOtherKey(content: VaultExportFile, key: OfflineKeyFile): void {
  if (content.offlineKey === key.publicKey) return;
  throw new CommandRefusal(
    'WRONG_KEY',
    `The export is sealed to another offline key: ${fingerprint(content.offlineKey)}, and this one is ${fingerprint(key.publicKey)}.`,
  );
}

function chosen(accounts: readonly ExportedAccount[], names: readonly string[]): readonly ExportedAccount[] {
  if (names.length === 0) return accounts;
  const same = (one: string, other: string) => one.toLowerCase() === other.trim().toLowerCase();
  const missing = names.find((name) => !accounts.some((account) => same(account.accountId, name) || same(account.hostName, name)));
  if (missing !== undefined) throw new UsageError(`"${missing}" is no account's id and no computer's name in this export.`);
  return accounts.filter((account) => names.some((name) => same(account.accountId, name) || same(account.hostName, name)));
}

/** All, or nothing is shown: whoever altered one may have altered more. */
async function openAll(tenantId: string, accounts: readonly ExportedAccount[], privateKey: Uint8Array): Promise<Opened[]> {
  const opened: Opened[] = [];
  const broken: ExportedAccount[] = [];
  for (const account of accounts) {
    const passwords = await openExported(privateKey, tenantId, account);
    if (passwords === null) broken.push(account);
    else opened.push({ ...account, passwords });
  }
  if (broken.length === 0) return opened;
  const names = broken.slice(0, 10).map(({ hostName }) => hostName || 'a computer without a name');
  throw new CommandRefusal(
    'SEAL_BROKEN',
    `The export was altered: ${broken.length} of ${accounts.length} do not open as what they are said to be (${names.join(', ')}). ` +
      'Nothing is shown. Use another copy; or name the computers that you need with --account, and trust those less.',
  );
}

async function show(output: Output, content: VaultExportFile, opened: readonly Opened[], options: OpenOptions): Promise<void> {
  const { tenant, exportedAt, server } = content;
  const accounts = opened.map(({ enc, ciphertext, ...account }) => ({
    ...account,
    passwords: account.passwords.filter(({ certainty }) => options.history === true || certainty !== 'FORMER'),
  }));
  if (output.json) {
    const short = accounts.map((account) => ({
      ...account,
      passwords: account.passwords.map(({ hostName, name, ...password }) => password),
    }));
    return output.thing({ tenant, exportedAt, server, accounts: short }, []);
  }
  const rows = accounts.flatMap(({ passwords }) => passwords);
  const columns = [
    { title: 'COMPUTER', show: ({ hostName }: ExportedPassword) => hostName },
    { title: 'ACCOUNT', show: ({ name }: ExportedPassword) => name },
    { title: 'PASSWORD', show: ({ password }: ExportedPassword) => password },
    { title: 'HOW SURE', show: ({ certainty }: ExportedPassword): Cell => certainties[certainty] },
    { title: 'READ BACK', show: ({ confirmedAt }: ExportedPassword) => instant(confirmedAt) || 'never' },
  ];
  output.block(`${visible(tenant.name)}, exported ${instant(exportedAt)} from ${visible(server)}\n\n`);
  output.block(renderTable(columns, rows, output.colours));
  for (const { hostName, passwords } of accounts) await showForms(output, `${hostName}, `, passwords, options);
  output.note('Computers go on changing their passwords while they reach a server: what was changed after the export is not in it.');
}
