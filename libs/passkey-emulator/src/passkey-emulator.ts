import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import type { Attack } from './attack.ts';
import { clientDataJson, EmulatedPasskey, type PasskeyAlgorithm, type SavedPasskey } from './emulated-passkey.ts';

const implemented: readonly number[] = [-7, -8, -257] satisfies PasskeyAlgorithm[];

/**
 * A person's device with passkeys, in software: browser and authenticator in one, to develop and test against. It checks
 * what a browser checks (the page may ask for this site, no passkey twice) and leaves out or alters what `attack` says.
 */
export class PasskeyEmulator {
  /** Oldest first. */
  readonly passkeys: EmulatedPasskey[];

  constructor(saved: readonly SavedPasskey[] = []) {
    this.passkeys = saved.map((one) => new EmulatedPasskey(one));
  }

  /** Makes a passkey: `navigator.credentials.create` of a page at `origin`. Options as an object or as JSON; the algorithm is the first of theirs unless named. */
  register(
    optionsJson: PublicKeyCredentialCreationOptionsJSON | string,
    origin: string,
    attack: Attack & { algorithm?: PasskeyAlgorithm } = {},
  ): RegistrationResponseJSON {
    const options = parsed<PublicKeyCredentialCreationOptionsJSON>(optionsJson);
    const rpId = options.rp.id ?? new URL(origin).hostname;
    checkSite(rpId, origin);
    if (options.excludeCredentials?.some(({ id }) => this.#find(id) !== undefined)) {
      throw new DOMException('A passkey of this person is on this device already.', 'InvalidStateError');
    }
    const algorithm = attack.algorithm ?? options.pubKeyCredParams.map(({ alg }) => alg).find((alg) => implemented.includes(alg));
    if (algorithm === undefined) throw new DOMException('None of the algorithms is implemented.', 'NotSupportedError');
    const passkey = EmulatedPasskey.make({
      ...{ rpId, userHandle: options.user.id, userName: options.user.name },
      algorithm: algorithm as PasskeyAlgorithm,
    });
    this.passkeys.push(passkey);
    return {
      id: passkey.credentialId,
      rawId: passkey.credentialId,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: { credProps: { rk: true } },
      response: {
        attestationObject: passkey.attestationObject(attack).toString('base64url'),
        clientDataJSON: clientDataJson('webauthn.create', options.challenge, origin, attack).toString('base64url'),
        transports: ['internal', 'hybrid'],
      },
    };
  }

  /** Signs with the newest passkey that the options allow: `navigator.credentials.get` of a page at `origin`. */
  sign(optionsJson: PublicKeyCredentialRequestOptionsJSON | string, origin: string, attack: Attack = {}): AuthenticationResponseJSON {
    const options = parsed<PublicKeyCredentialRequestOptionsJSON>(optionsJson);
    const rpId = options.rpId ?? new URL(origin).hostname;
    checkSite(rpId, origin);
    const allowed = options.allowCredentials ?? [];
    const passkey = this.passkeys.findLast(
      (one) => one.rpId === rpId && (allowed.length === 0 || allowed.some(({ id }) => id === one.credentialId)),
    );
    if (passkey === undefined) throw new DOMException('This device has no passkey for this.', 'NotAllowedError');
    return passkey.sign(options, origin, attack);
  }

  /** What to keep in a file; it holds the private keys. */
  toJSON(): SavedPasskey[] {
    return this.passkeys.map((passkey) => passkey.toJSON());
  }

  #find(credentialId: string): EmulatedPasskey | undefined {
    return this.passkeys.find((passkey) => passkey.credentialId === credentialId);
  }
}

function parsed<Options>(options: Options | string): Options {
  return typeof options === 'string' ? (JSON.parse(options) as Options) : options;
}

/** A page may ask for its own host or a domain above it, and never for an IP address (WebAuthn §5.1.3). */
function checkSite(rpId: string, origin: string): void {
  const { hostname, protocol } = new URL(origin);
  const secure = protocol === 'https:' || hostname === 'localhost';
  const ip = hostname.startsWith('[') || /^[\d.]+$/.test(hostname);
  if (!secure || ip || (hostname !== rpId && !hostname.endsWith(`.${rpId}`))) {
    throw new DOMException(`A page at ${origin} may not use passkeys of ${rpId}.`, 'SecurityError');
  }
}
