import type * as Kms from '@aws-sdk/client-kms';
import { idOfNamedRootKey, keyProviderOn, type KeyProvider, type RootKey } from './key-provider.ts';

/** How to reach AWS KMS; by default as the SDK finds it in the environment of the process. */
export interface AwsKmsOptions {
  endpoint?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string };
}

// https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html: Plaintext has at most 4096 bytes.
const mostBytes = 4096;
const contextName = 'stint';

/** Root keys in AWS KMS, each as the ARN of a symmetric key: wraps under the first, unwraps under the former ones too. */
export function awsKmsKeyProvider(arn: string, former: readonly string[] = [], options: AwsKmsOptions = {}): KeyProvider {
  return keyProviderOn(
    awsKmsRootKey(arn, options),
    former.map((one) => awsKmsRootKey(one, options)),
  );
}

/**
 * A symmetric encryption key in AWS KMS (AES-256-GCM there), named by its ARN: an alias may come to point at another key.
 * `aad` is the encryption context, which KMS binds and records in CloudTrail. Two further tries, 5 seconds each.
 */
export function awsKmsRootKey(arn: string, options: AwsKmsOptions = {}): RootKey {
  const region = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key\/[A-Za-z0-9-]+$/.exec(arn)?.[1];
  if (region === undefined)
    throw new Error(`"${arn}" is no ARN of a KMS key. Write "arn:aws:kms:<region>:<account>:key/<id>"; an alias is not enough.`);
  let client: Promise<{ client: Kms.KMSClient; kms: typeof Kms }> | undefined;
  const connected = () =>
    (client ??= import('@aws-sdk/client-kms').then((kms) => ({
      kms,
      client: new kms.KMSClient({
        region,
        maxAttempts: 3,
        requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true },
        ...options,
      }),
    })));
  const request = (aad: string) => ({ KeyId: arn, EncryptionContext: { [contextName]: aad } });
  return {
    id: idOfNamedRootKey('aws-kms', arn),
    async encrypt(plaintext, aad) {
      if (plaintext.length > mostBytes) throw new RangeError(`AWS KMS wraps at most ${mostBytes} bytes.`);
      const { client, kms } = await connected();
      const { CiphertextBlob } = await client.send(new kms.EncryptCommand({ ...request(aad), Plaintext: plaintext }));
      if (CiphertextBlob === undefined) throw new Error('AWS KMS answered without a ciphertext.');
      return Buffer.from(CiphertextBlob);
    },
    async decrypt(ciphertext, aad) {
      const { client, kms } = await connected();
      const { Plaintext, KeyId } = await client.send(new kms.DecryptCommand({ ...request(aad), CiphertextBlob: ciphertext }));
      if (Plaintext === undefined || KeyId !== arn) throw new Error('AWS KMS answered without a plaintext under this key.');
      return Buffer.from(Plaintext);
    },
    close() {
      void client?.then(({ client }) => client.destroy());
    },
  };
}
