import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { configFields, loadConfig } from '@stint/host';
import { z } from 'zod';

const address = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));

const schema = z.object({
  PORT: configFields.port(4000),
  HOST: configFields.host,
  PUBLIC_URL: address,
  SUBGRAPH_URLS: configFields.record.pipe(z.record(z.string(), z.url({ protocol: /^https?$/ }))),
  /** Comma separated. The first signs, all verify. */
  SIGNING_KEY_FILES: z
    .string()
    .min(1)
    .transform((text) => text.split(',').map((file) => file.trim())),
  QUEUE_URL: z.url({ protocol: /^(rediss?|postgres(ql)?)$/ }),
  SUPERGRAPH_FILE: z.string().min(1).optional(),
  WEB_APP_FOLDER: z.string().min(1).optional(),
  NODE_ENV: z.string().optional(),
});

/** The gateway's configuration from the environment; throws with every wrong name and its rule, never a value. */
export function gatewayConfig(env: Readonly<Record<string, string | undefined>>) {
  const values = loadConfig(schema, env);
  return {
    host: values.HOST,
    port: values.PORT,
    publicUrl: values.PUBLIC_URL,
    subgraphUrls: values.SUBGRAPH_URLS,
    signingKeys: values.SIGNING_KEY_FILES.map(readSigningKey),
    queueUrl: values.QUEUE_URL,
    introspection: values.NODE_ENV !== 'production',
    ...(values.SUPERGRAPH_FILE === undefined ? {} : { supergraphFile: values.SUPERGRAPH_FILE }),
    ...(values.WEB_APP_FOLDER === undefined ? {} : { webAppFolder: values.WEB_APP_FOLDER }),
  };
}

function readSigningKey(file: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(readFileSync(file));
  } catch {
    // Said below in one way for every reason; the file's content must not reach a message.
  }
  if (key?.asymmetricKeyType !== 'ed25519') throw new Error('SIGNING_KEY_FILES must name readable Ed25519 private keys (PKCS#8 PEM).');
  return key;
}
