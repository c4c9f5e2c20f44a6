import { generateHpkeKeyPair, openBytes, type HpkeKeyPair, type Sealed } from './hpke.ts';
import { entraSealing } from './entra-sealing.ts';

// Nothing of Node in this file: the command line, web consoles and partners open credentials with this very function.

/** A one-time credential as `Grant.entraCredential` answers it. */
export interface SealedEntraCredential extends Sealed {
  /** Stint's id of the account. */
  accountId: string;
}

/**
 * Opens the one-time credential of a grant with the private half (base64url) of the key that the grant was asked for with; throws when
 * it was not sealed to this key for this tenant, grant and account.
 */
export async function openEntraCredential(
  reader: { privateKey: string; tenantId: string; grantId: string },
  { enc, ciphertext, accountId }: SealedEntraCredential,
): Promise<string> {
  const { info, aad } = entraSealing.credential;
  const place = { privateKey: reader.privateKey, info, aad: aad(reader.tenantId, reader.grantId, accountId) };
  const bytes = await openBytes(place, { enc, ciphertext });
  const credential = new TextDecoder().decode(bytes);
  bytes.fill(0);
  return credential;
}

/** A key pair for one grant: its public half is the request's `recipientKey`. Its private half (base64url) stays with its reader. */
export function newEntraCredentialKey(): Promise<HpkeKeyPair> {
  return generateHpkeKeyPair();
}
