import { newEntraCredentialKey } from '@stint/crypto/entra-credential';
import { keep, kept } from '../auth/key-store.ts';

const place = (grantId: string) => `entra-key ${grantId}`;

/** Makes the key pair to which a grant's credential is sealed, and keeps its private half in this browser alone. Answers the public half. */
export async function makeCredentialKey(grantId: string): Promise<string> {
  const { publicKey, privateKey } = await newEntraCredentialKey();
  await keep(place(grantId), privateKey);
  return publicKey;
}

/** The private half; undefined where the grant was not asked for in this browser. */
export function credentialKey(grantId: string): Promise<string | undefined> {
  return kept<string>(place(grantId));
}

/** These grants have ended: their credentials open nothing any more. */
export async function forgetCredentialKeys(grantIds: readonly string[]): Promise<void> {
  for (const grantId of grantIds) await keep(place(grantId), undefined);
}
