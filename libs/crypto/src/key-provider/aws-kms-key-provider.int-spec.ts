import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awsKmsKeyProvider, rootKeyIdOf, rootKeyProvider, type KeyProvider } from '../index.ts';
import { decryptAesGcm, encryptAesGcm } from './file-key-provider.ts';

const arn = (id: number) => `arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-00000000000${id}`;
const secret = Buffer.from('the private half of a vault key');

/**
 * KMS's JSON protocol (https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html) on AES-256-GCM: each key has material
 * of its own, the encryption context is bound, and a key id that is not the ciphertext's is refused. It does not check who signed.
 */
class KmsStandIn {
  readonly seen: { target: string; keyId: string; context: unknown; signed: string }[] = [];
  /** Answered instead, once each. */
  readonly failures: { status: number; type: string }[] = [];
  readonly #materials = new Map([1, 2].map((id) => [arn(id), randomBytes(32)]));
  readonly #server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const target = String(request.headers['x-amz-target']);
      const input = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string> & { EncryptionContext?: Record<string, string> };
      const keyId = input['KeyId'] ?? '';
      this.seen.push({ target, keyId, context: input.EncryptionContext, signed: String(request.headers.authorization) });
      const { status, body } = this.#answer(target, keyId, input);
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
  });

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #answer(target: string, keyId: string, input: Record<string, unknown>): { status: number; body: object } {
    const failure = this.failures.shift();
    const refused = (type: string) => ({ status: 400, body: { __type: type, message: 'refused' } });
    if (failure !== undefined) return { status: failure.status, body: { __type: failure.type, message: 'failed' } };
    const material = this.#materials.get(keyId);
    if (material === undefined) return refused('NotFoundException');
    const context = JSON.stringify(Object.entries((input['EncryptionContext'] ?? {}) as object).sort());
    if (target === 'TrentService.Encrypt') {
      const sealed = encryptAesGcm(material, Buffer.from(String(input['Plaintext']), 'base64'), context);
      const blob = Buffer.concat([Buffer.from(keyId), sealed]);
      return { status: 200, body: { KeyId: keyId, CiphertextBlob: blob.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' } };
    }
    if (target !== 'TrentService.Decrypt') return refused('UnsupportedOperationException');
    const blob = Buffer.from(String(input['CiphertextBlob']), 'base64');
    if (blob.subarray(0, keyId.length).toString() !== keyId) return refused('IncorrectKeyException');
    try {
      const plaintext = decryptAesGcm(material, blob.subarray(keyId.length), context);
      return { status: 200, body: { KeyId: keyId, Plaintext: plaintext.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' } };
    } catch {
      return refused('InvalidCiphertextException');
    }
  }
}

const kms = new KmsStandIn();
let endpoint: string;
const providers: KeyProvider[] = [];
const open = (current: string, ...former: string[]) => {
  const provider = awsKmsKeyProvider(current, former, { endpoint, credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' } });
  providers.push(provider);
  return provider;
};
beforeAll(async () => {
  endpoint = await kms.start();
});
afterAll(async () => {
  for (const provider of providers) await provider.close();
  await kms.stop();
});

test('wraps and unwraps; the place is the encryption context, and only there does it open', async () => {
  const provider = open(arn(1));
  const envelope = await provider.wrap(secret, 'vault-key:a');
  expect(envelope.includes(secret)).toBe(false);
  expect(rootKeyIdOf(envelope)).toBe(provider.rootKeyId);
  expect(await provider.unwrap(envelope, 'vault-key:a')).toEqual(secret);
  expect(kms.seen.at(-1)).toEqual({
    ...{ target: 'TrentService.Decrypt', keyId: arn(1), context: { stint: 'vault-key:a' } },
    signed: expect.stringContaining('/eu-central-1/kms/aws4_request'),
  });
  await expect(provider.unwrap(envelope, 'vault-key:b')).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
  for (const at of [9, 100, envelope.length - 1]) {
    const altered = Buffer.from(envelope);
    altered[at] = (altered[at] ?? 0) ^ 1;
    await expect(provider.unwrap(altered, 'vault-key:a')).rejects.toThrow();
  }
  await expect(provider.derive('audit')).rejects.toThrow('does not leave its device');
});

test('a former key opens for as long as it is named; another key’s ciphertext does not open under this one', async () => {
  const before = await open(arn(1)).wrap(secret, 'a');
  expect(await open(arn(2), arn(1)).unwrap(before, 'a')).toEqual(secret);
  const asked = kms.seen.length;
  await expect(open(arn(2)).unwrap(before, 'a')).rejects.toThrow('another root key');
  await expect(rootKeyProvider(randomBytes(32)).unwrap(before, 'a')).rejects.toThrow('another root key');
  expect(kms.seen).toHaveLength(asked);
  // Somebody who writes our own header around it gets no further.
  const other = open(arn(2));
  const forged = Buffer.concat([(await other.wrap(secret, 'a')).subarray(0, 9), before.subarray(9)]);
  await expect(other.unwrap(forged, 'a')).rejects.toMatchObject({ name: 'IncorrectKeyException' });
});

test('a throttled or failing KMS is asked again; a disabled key is an error at once', async () => {
  const provider = open(arn(1));
  kms.failures.push({ status: 400, type: 'ThrottlingException' }, { status: 500, type: 'KMSInternalException' });
  const envelope = await provider.wrap(secret, 'a');
  expect(kms.failures).toEqual([]);
  kms.failures.push({ status: 400, type: 'DisabledException' });
  const asked = kms.seen.length;
  await expect(provider.unwrap(envelope, 'a')).rejects.toMatchObject({ name: 'DisabledException' });
  expect(kms.seen).toHaveLength(asked + 1);
});

test('more than KMS takes is refused before it is sent, and so is a key that is not there', async () => {
  await expect(open(arn(1)).wrap(Buffer.alloc(4097), 'a')).rejects.toThrow('4096 bytes');
  await expect(open(arn(3)).wrap(secret, 'a')).rejects.toMatchObject({ name: 'NotFoundException' });
});
