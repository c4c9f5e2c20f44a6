import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { encodeCBOR } from '@levischuck/tiny-cbor';
import type { AuthenticationResponseJSON, PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import type { Attack } from './attack.ts';

/** COSE algorithm numbers (RFC 9053): ES256, EdDSA (Ed25519), RS256. */
export type PasskeyAlgorithm = -7 | -8 | -257;

/** A passkey as it is kept in a file. It holds the private key: a secret. */
export interface SavedPasskey {
  credentialId: string;
  algorithm: PasskeyAlgorithm;
  rpId: string;
  /** The WebAuthn user handle, base64url. */
  userHandle: string;
  userName: string;
  counter: number;
  privateKey: string;
}

// Flags of the authenticator data (WebAuthn §6.1).
const flags = { userPresent: 0x01, userVerified: 0x04, backupEligible: 0x08, backedUp: 0x10, attested: 0x40 } as const;

/** One discoverable credential of a site and a person, with its private key. */
export class EmulatedPasskey {
  readonly credentialId: string;
  readonly algorithm: PasskeyAlgorithm;
  readonly rpId: string;
  readonly userHandle: string;
  readonly userName: string;
  /** How often it has signed. */
  counter: number;
  readonly #privateKey: KeyObject;

  /** A passkey from what {@link toJSON} gave. */
  constructor(saved: SavedPasskey) {
    this.credentialId = saved.credentialId;
    this.algorithm = saved.algorithm;
    this.rpId = saved.rpId;
    this.userHandle = saved.userHandle;
    this.userName = saved.userName;
    this.counter = saved.counter;
    this.#privateKey = createPrivateKey(saved.privateKey);
  }

  static make(input: Pick<SavedPasskey, 'rpId' | 'userHandle' | 'userName' | 'algorithm'>): EmulatedPasskey {
    const privateKey = newKey(input.algorithm).export({ format: 'pem', type: 'pkcs8' }).toString();
    return new EmulatedPasskey({ ...input, credentialId: randomBytes(16).toString('base64url'), counter: 0, privateKey });
  }

  /** The assertion over the options' challenge, as the browser gives it (AuthenticationResponseJSON). */
  sign(options: PublicKeyCredentialRequestOptionsJSON, origin: string, attack: Attack = {}): AuthenticationResponseJSON {
    this.counter += 1;
    const authenticatorData = this.#authenticatorData(attack, 0);
    const clientData = clientDataJson('webauthn.get', options.challenge, origin, attack);
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientData).digest()]);
    return {
      id: this.credentialId,
      rawId: this.credentialId,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: {},
      response: {
        authenticatorData: authenticatorData.toString('base64url'),
        clientDataJSON: clientData.toString('base64url'),
        signature: sign(this.algorithm === -8 ? null : 'sha256', signed, this.#privateKey).toString('base64url'),
        userHandle: this.userHandle,
      },
    };
  }

  /** Attestation object of a registration: format `none`. */
  attestationObject(attack: Attack): Buffer {
    const id = Buffer.from(this.credentialId, 'base64url');
    const length = Buffer.alloc(2);
    length.writeUInt16BE(id.length);
    // AAGUID (16 zero bytes: attestation none tells no model), credential id, COSE key (WebAuthn §6.5.1).
    const attested = Buffer.concat([Buffer.alloc(16), length, id, this.#coseKey()]);
    const authData = new Uint8Array(Buffer.concat([this.#authenticatorData(attack, flags.attested), attested]));
    return Buffer.from(
      encodeCBOR(
        new Map<string, string | Uint8Array | Map<string, string>>([
          ['fmt', 'none'],
          ['attStmt', new Map()],
          ['authData', authData],
        ]),
      ),
    );
  }

  /** What to keep in a file; it holds the private key. */
  toJSON(): SavedPasskey {
    const { credentialId, algorithm, rpId, userHandle, userName, counter } = this;
    const privateKey = this.#privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    return { credentialId, algorithm, rpId, userHandle, userName, counter, privateKey };
  }

  #authenticatorData(attack: Attack, more: number): Buffer {
    const said =
      more |
      flags.backupEligible |
      flags.backedUp |
      (attack.userPresent === false ? 0 : flags.userPresent) |
      (attack.userVerified === false ? 0 : flags.userVerified);
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(attack.counter ?? this.counter);
    const rpIdHash = createHash('sha256')
      .update(attack.rpId ?? this.rpId)
      .digest();
    return Buffer.concat([rpIdHash, Buffer.from([said]), counter]);
  }

  #coseKey(): Uint8Array {
    const jwk = createPublicKey(this.#privateKey).export({ format: 'jwk' });
    const bytes = (part: string | undefined) => new Uint8Array(Buffer.from(part ?? '', 'base64url'));
    // RFC 9052 §7, RFC 9053 §7 and RFC 8230 §4: 1 is the key type, 3 the algorithm.
    const parts: Record<PasskeyAlgorithm, [number, number | Uint8Array][]> = {
      [-7]: [
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, bytes(jwk.x)],
        [-3, bytes(jwk.y)],
      ],
      [-8]: [
        [1, 1],
        [3, -8],
        [-1, 6],
        [-2, bytes(jwk.x)],
      ],
      [-257]: [
        [1, 3],
        [3, -257],
        [-1, bytes(jwk.n)],
        [-2, bytes(jwk.e)],
      ],
    };
    return encodeCBOR(new Map(parts[this.algorithm]));
  }
}

/** The client data that a browser makes (WebAuthn §5.8.1). */
export function clientDataJson(type: string, challenge: string, origin: string, attack: Attack): Buffer {
  return Buffer.from(
    JSON.stringify({
      type: attack.type ?? type,
      challenge: attack.challenge ?? challenge,
      origin: attack.origin ?? origin,
      crossOrigin: attack.crossOrigin ?? false,
    }),
  );
}

function newKey(algorithm: PasskeyAlgorithm): KeyObject {
  switch (algorithm) {
    case -7:
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case -8:
      return generateKeyPairSync('ed25519').privateKey;
    case -257:
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  }
}
