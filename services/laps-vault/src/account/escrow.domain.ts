import { invalidInput, isId, type Id } from '@stint/kernel';

/** A sealed password as the device sends it. */
export interface EscrowInput {
  accountId: Id;
  versionId: Id;
  fence: number;
  keyId: Id;
  enc: string;
  ciphertext: string;
}

const encLength = 32;
const tagLength = 16;
/** The longest password has 127 characters; passphrases are longer by their words. */
const longestPlaintext = 512;

/** The two parts of a sealed password (HPKE with X25519 and AES-256-GCM, RFC 9180 §4.1, §5.2): 32 bytes, and 1 to 512 with a tag of 16. */
export function readEscrow(input: EscrowInput): { enc: Buffer; ciphertext: Buffer } {
  if (!isId(input.versionId)) throw invalidInput('versionId', 'versionId must be a UUIDv7 in its canonical lower-case form.');
  const enc = base64url(input.enc);
  if (enc?.length !== encLength) throw invalidInput('enc', 'enc must be 32 bytes in base64url.');
  const ciphertext = base64url(input.ciphertext);
  if (ciphertext === null || ciphertext.length <= tagLength || ciphertext.length > longestPlaintext + tagLength)
    throw invalidInput('ciphertext', `ciphertext must be ${tagLength + 1} to ${longestPlaintext + tagLength} bytes in base64url.`);
  return { enc, ciphertext };
}

/** The bytes of canonical base64url without padding (RFC 4648 §5), or null. */
function base64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}
