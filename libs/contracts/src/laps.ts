import { z } from 'zod';
import { id } from './principal.ts';

/** Most technician groups that may read LAPS passwords of a tenant, so that they fit into one message. */
export const maxReaderGroups = 20;

/** What passwords of break-glass accounts are made of: single characters, or words. */
export const lapsPasswordStyles = ['CHARACTERS', 'PASSPHRASE'] as const;

/** The settings of break-glass accounts that hold in a tenant (product.md "LAPS"). Times in seconds. */
export const lapsSettings = z.object({
  localEnabled: z.boolean(),
  localAccountName: z.string(),
  /** Whether the local account can be used; otherwise it is kept locked. */
  localActive: z.boolean(),
  domainEnabled: z.boolean(),
  domainAccountName: z.string(),
  readerGroups: z.array(id).max(maxReaderGroups),
  requireTicket: z.boolean(),
  intervalSeconds: z.int(),
  rotateAfterRevealSeconds: z.int(),
  historyLength: z.int(),
  passwordStyle: z.enum(lapsPasswordStyles),
  passwordLength: z.int(),
  passphraseWords: z.int(),
  passwordUnambiguous: z.boolean(),
  passwordSymbols: z.boolean(),
});
export type LapsSettings = z.infer<typeof lapsSettings>;

/** How the passwords of an account are made; the same words as in @stint/crypto. */
export const lapsPolicy = z.object({
  style: z.enum(lapsPasswordStyles),
  length: z.int(),
  words: z.int(),
  unambiguous: z.boolean(),
  symbols: z.boolean(),
});
export type LapsPolicy = z.infer<typeof lapsPolicy>;

/** How passwords are made where these settings hold. */
export function lapsPolicyOf(settings: LapsSettings): LapsPolicy {
  const { passwordStyle: style, passwordLength: length, passphraseWords: words } = settings;
  return { style, length, words, unambiguous: settings.passwordUnambiguous, symbols: settings.passwordSymbols };
}

/** The public key of a vault, to which passwords are sealed on their way there. */
export const lapsSealingKey = z.object({ id, publicKey: z.string().max(64) });
