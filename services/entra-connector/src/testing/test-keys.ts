import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKeyProvider, type KeyProvider } from '@stint/crypto';

/** A root key that nobody has had before, as `KEY_PROVIDER` names it. */
export function testRootKey(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'stint-entra-keys-')), 'root.key');
  writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  return `file:${file}`;
}

/** Wraps under a root key that nobody has had before. */
export function testKeys(): KeyProvider {
  return openKeyProvider(testRootKey());
}
