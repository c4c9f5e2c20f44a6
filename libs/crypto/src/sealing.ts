import { decode, encode, openBytes, suite, utf8, type Opener, type Sealed } from './hpke.ts';

/** Seals `plaintext` to a reader's public key (HPKE base mode). `info` names the purpose, `aad` binds it to its place. */
export async function sealTo(to: { publicKey: string; info: string; aad: string }, plaintext: Uint8Array): Promise<Sealed> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(decode(to.publicKey).buffer);
  const sender = await suite.createSenderContext({ recipientPublicKey, info: utf8(to.info) });
  return { enc: encode(sender.enc), ciphertext: encode(await sender.seal(Uint8Array.from(plaintext).buffer, utf8(to.aad))) };
}

/** Opens what was sealed to this private key under the same `info` and `aad`; throws otherwise. */
export async function openSealed(by: Opener, sealed: Sealed): Promise<Buffer> {
  return Buffer.from((await openBytes(by, sealed)).buffer as ArrayBuffer);
}
