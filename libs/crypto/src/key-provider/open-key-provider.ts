import { isAbsolute } from 'node:path';
import { awsKmsRootKey } from './aws-kms-key-provider.ts';
import { fileRootKey } from './file-key-provider.ts';
import { keyProviderOn, type KeyProvider, type RootKey } from './key-provider.ts';
import { pkcs11RootKey } from './pkcs11-key-provider.ts';

/** How a root key is named in a configuration. */
export const keyProviderForms =
  '"file:/path", "pkcs11:token=…;object=…?module-path=/…&pin-source=file:/…" or "aws-kms:arn:aws:kms:…:key/…"';

/**
 * The key provider that a configuration names: the current root key, and after commas any number of former ones, which may be
 * of another kind (a root key moves from a file into a token like this). A path alone is a file.
 */
export function openKeyProvider(text: string): KeyProvider {
  const [current, ...former] = text.split(',').map((one) => rootKeyNamed(one.trim()));
  if (current === undefined) throw new Error(`A key provider is ${keyProviderForms}.`);
  return keyProviderOn(current, former);
}

function rootKeyNamed(name: string): RootKey {
  if (name.startsWith('pkcs11:')) return pkcs11RootKey(name);
  if (name.startsWith('aws-kms:')) return awsKmsRootKey(name.slice('aws-kms:'.length));
  const path = name.replace(/^file:(\/\/)?/, '');
  if (!isAbsolute(path)) throw new Error(`A root key is named by ${keyProviderForms}.`);
  return fileRootKey(path);
}
