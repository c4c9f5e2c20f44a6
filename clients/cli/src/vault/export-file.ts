import { z } from 'zod';
import { hpkePublicKey, id } from '@stint/contracts';
import { lapsSealing, openSealed } from '@stint/crypto';
import { CommandRefusal } from '../failure.ts';

const sealedText = z.string().regex(/^[A-Za-z0-9_-]+$/);
const exportedAccount = z.object({ accountId: id, hostName: z.string(), name: z.string(), enc: sealedText, ciphertext: sealedText });
const format = 'stint-vault-export';
const vaultExport = z.object({
  format: z.literal(format),
  version: z.literal(1),
  /** Where it comes from, and when and why it was made. */
  server: z.string(),
  tenant: z.object({ id, name: z.string() }),
  exportedAt: z.iso.datetime(),
  reason: z.string(),
  /** The public key to which all of it is sealed. */
  offlineKey: hpkePublicKey,
  accounts: z.array(exportedAccount),
});
/** An emergency export: one tenant's passwords, sealed account by account. */
export type VaultExportFile = z.infer<typeof vaultExport>;
export type ExportedAccount = z.infer<typeof exportedAccount>;

/** What is sealed, one JSON line per password. */
const exportedPassword = z.object({
  hostName: z.string(),
  name: z.string(),
  versionId: id,
  certainty: z.enum(['CONFIRMED', 'CANDIDATE', 'FORMER']),
  escrowedAt: z.iso.datetime(),
  confirmedAt: z.iso.datetime().nullable(),
  password: z.string(),
});
export type ExportedPassword = z.infer<typeof exportedPassword>;

/** The text of an export's file. */
export function writeExport(content: Omit<VaultExportFile, 'format' | 'version'>): string {
  return `${JSON.stringify({ format, version: 1, ...content } satisfies VaultExportFile, null, 2)}\n`;
}

/** What the text of an export's file says. Nothing of it is opened. */
export function readExport(text: string, file: string): VaultExportFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CommandRefusal('FILE', `${file} is not a whole export: it was cut short or altered.`);
  }
  const head = z.object({ format: z.literal(format), version: z.int() }).safeParse(json);
  if (!head.success) throw new CommandRefusal('FILE', `${file} is no export. "stint vault export" makes such files.`);
  if (head.data.version > 1) throw new CommandRefusal('FILE', `${file} was made by a newer Stint. Open it with that version's "stint".`);
  const parsed = vaultExport.safeParse(json);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new CommandRefusal('FILE', `${file} was altered: ${path} is not what an export has there.`);
}

/** The passwords of one account, in the order of the export; null when it does not open, or was sealed for another place. */
export async function openExported(
  privateKey: Uint8Array,
  tenantId: string,
  { accountId, hostName, name, enc, ciphertext }: ExportedAccount,
): Promise<ExportedPassword[] | null> {
  const { info, aad } = lapsSealing.export;
  try {
    const opened = await openSealed({ privateKey, info, aad: aad(tenantId, accountId) }, { enc, ciphertext });
    const lines = opened.toString('utf8').split('\n');
    const passwords = lines.map((line) => exportedPassword.parse(JSON.parse(line)));
    // The names outside of the seal are for finding only: anybody could exchange them.
    return passwords.every((one) => one.hostName === hostName && one.name === name) ? passwords : null;
  } catch {
    return null;
  }
}
