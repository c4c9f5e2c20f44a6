import { createContext, runInContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { lapsSealing, newRevealKey, openReveal, sealTo, type LapsCertainty } from './index.ts';

const accountId = 'account';
const { info, aad } = lapsSealing.reveal;

async function sealed(publicKey: string, versionId: string, certainty: LapsCertainty, password: string) {
  const place = { publicKey, info, aad: aad(accountId, versionId) };
  return { versionId, certainty, escrowedAt: 'then', ...(await sealTo(place, Buffer.from(password))) };
}

describe('the answer of a reveal', () => {
  test('opens with its key: confirmed first, candidates next, former ones last', async () => {
    const { publicKey, privateKey } = await newRevealKey();
    const candidates = [
      await sealed(publicKey, 'v2', 'FORMER', 'two'),
      await sealed(publicKey, 'v4', 'CANDIDATE', 'vier'),
      await sealed(publicKey, 'v1', 'FORMER', 'one'),
      await sealed(publicKey, 'v3', 'CONFIRMED', 'größer'),
    ];
    expect(await openReveal({ privateKey, accountId }, candidates)).toEqual([
      { versionId: 'v3', certainty: 'CONFIRMED', escrowedAt: 'then', password: 'größer' },
      { versionId: 'v4', certainty: 'CANDIDATE', escrowedAt: 'then', password: 'vier' },
      { versionId: 'v2', certainty: 'FORMER', escrowedAt: 'then', password: 'two' },
      { versionId: 'v1', certainty: 'FORMER', escrowedAt: 'then', password: 'one' },
    ]);
  });

  test('opens for its reader, account and version alone; what does not open keeps nothing back', async () => {
    const [{ publicKey, privateKey }, other] = [await newRevealKey(), await newRevealKey()];
    const mine = await sealed(publicKey, 'v1', 'CONFIRMED', 'mine');
    const passwords = async (reader: Parameters<typeof openReveal>[0], candidate = mine) =>
      (await openReveal(reader, [candidate, mine])).map(({ password }) => password);
    expect(await passwords({ privateKey: other.privateKey, accountId })).toEqual([null, null]);
    expect(await passwords({ privateKey, accountId: 'another' })).toEqual([null, null]);
    expect(await passwords({ privateKey, accountId }, { ...mine, versionId: 'v2' })).toEqual([null, 'mine']);
    for (const broken of [{ ciphertext: `A${mine.ciphertext.slice(1)}x` }, { ciphertext: '' }, { enc: '' }, { enc: 'no base64url!' }])
      expect(await passwords({ privateKey, accountId }, { ...mine, ...broken })).toEqual([null, 'mine']);
  });

  test('opens in a browser, without anything of Node', async () => {
    const { outputFiles } = await build({
      stdin: { contents: "export * from '@stint/crypto/laps-reveal'", resolveDir: import.meta.dirname, loader: 'ts' },
      ...{ bundle: true, write: false, platform: 'browser', format: 'iife', globalName: 'stint', conditions: ['@stint/source'] },
    });
    const { crypto, TextEncoder, TextDecoder, atob, btoa } = globalThis;
    const browser = createContext({ crypto, TextEncoder, TextDecoder, atob, btoa, Uint8Array, ArrayBuffer });
    runInContext(outputFiles[0]?.text ?? '', browser);
    const { stint } = browser as { stint: { newRevealKey: typeof newRevealKey; openReveal: typeof openReveal } };
    const { publicKey, privateKey } = await stint.newRevealKey();
    const candidates = [await sealed(publicKey, 'v1', 'CONFIRMED', 'in the browser')];
    expect(await stint.openReveal({ privateKey, accountId }, candidates)).toMatchObject([{ password: 'in the browser' }]);
  });
});
