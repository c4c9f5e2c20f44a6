import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { ivLength, tagLength } from './file-key-provider.ts';
import { idOfNamedRootKey, keyProviderOn, type KeyProvider, type RootKey } from './key-provider.ts';
import { loadPkcs11, pkcs11, type Handle, type Pkcs11Library } from './pkcs11-library.ts';
import { readPkcs11Uri, type Pkcs11Location } from './pkcs11-uri.ts';

/** Root keys on PKCS #11 tokens, each as a URI (RFC 7512): wraps under the first, unwraps under the former ones too. */
export function pkcs11KeyProvider(uri: string, ...former: readonly string[]): KeyProvider {
  return keyProviderOn(pkcs11RootKey(uri), former.map(pkcs11RootKey));
}

/**
 * An AES-256 key on a PKCS #11 token, which must be sensitive and not extractable; the token works with it (CKM_AES_GCM, a
 * random 96-bit IV, a tag of 128 bits). It is known by the labels of token and key, so that a process starts while the token
 * is away; whatever needs it fails until the token is back.
 */
export function pkcs11RootKey(uri: string): RootKey {
  const location = readPkcs11Uri(uri);
  const session = new TokenSession(location);
  return {
    id: idOfNamedRootKey('pkcs11', `${location.token}\n${location.object}`),
    encrypt: (plaintext, aad) =>
      session.use(async ({ library, session, key, gcm }) => {
        const iv = randomBytes(ivLength);
        library.C_EncryptInit(session, gcm(iv, aad), key);
        const out = await library.C_EncryptAsync(session, plaintext, Buffer.alloc(plaintext.length + tagLength));
        const tagAt = out.length - tagLength;
        return Buffer.concat([iv, out.subarray(tagAt), out.subarray(0, tagAt)]);
      }),
    decrypt: (sealed, aad) => {
      if (sealed.length < ivLength + tagLength) return Promise.reject(new Error('Not a wrapped secret.'));
      const tag = sealed.subarray(ivLength, ivLength + tagLength);
      const input = Buffer.concat([sealed.subarray(ivLength + tagLength), tag]);
      return session.use(({ library, session, key, gcm }) => {
        library.C_DecryptInit(session, gcm(sealed.subarray(0, ivLength), aad), key);
        return library.C_DecryptAsync(session, input, Buffer.alloc(input.length));
      });
    },
    close: () => session.close(),
  };
}

interface Open {
  library: Pkcs11Library;
  session: Handle;
  key: Handle;
  gcm(iv: Buffer, aad: string): Parameters<Pkcs11Library['C_EncryptInit']>[1];
}

// What an altered or moved secret gives (PKCS #11 §5.1.6; SoftHSM answers the general error): no reason to log in again.
const ofTheData = /CKR_ENCRYPTED_DATA_INVALID|CKR_ENCRYPTED_DATA_LEN_RANGE|CKR_DATA_INVALID|CKR_DATA_LEN_RANGE|CKR_AEAD_DECRYPT_FAILED/;

// One operation at a time in each library, whoever uses it: a new start of it must not meet an operation under way.
const queues = new Map<string, Promise<unknown>>();

/** One session with a token, made when it is needed and made anew when the token was restarted. */
class TokenSession {
  readonly #location: Pkcs11Location;
  #loaded: Promise<{ library: Pkcs11Library; gcmParameters: number }> | undefined;
  #open: Open | undefined;
  /** Tried once: a token locks itself after a few wrong ones. */
  #wrongPin: string | undefined;

  constructor(location: Pkcs11Location) {
    this.#location = location;
  }

  use<Result>(work: (open: Open) => Promise<Result>): Promise<Result> {
    const { modulePath } = this.#location;
    const run = (queues.get(modulePath) ?? Promise.resolve()).then(async () => {
      const fresh = this.#open === undefined;
      const open = (this.#open ??= await this.#start(false));
      try {
        return await work(open);
      } catch (error) {
        if (ofTheData.test(String(error)))
          throw new Error('The token refused the wrapped secret: it was altered, moved, or wrapped under another key.');
        this.close();
        if (fresh) throw failed(error);
      }
      // The session may have died with the token: once more on a new one, on a freshly started library.
      this.#open = await this.#start(true);
      try {
        return await work(this.#open);
      } catch (error) {
        this.close();
        throw failed(error);
      }
    });
    queues.set(
      modulePath,
      run.catch(() => undefined),
    );
    return run;
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) quietly(() => open.library.C_CloseSession(open.session));
  }

  async #start(afterFailure: boolean): Promise<Open> {
    this.#loaded ??= loadPkcs11(this.#location.modulePath);
    const { library, gcmParameters } = await this.#loaded.catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    // A library that lost its token may know it again only after a new start. Others who use it in this process recover like this, too.
    if (afterFailure) quietly(() => library.C_Finalize());
    ignoring('CKR_CRYPTOKI_ALREADY_INITIALIZED', () => library.C_Initialize());
    const { token, object } = this.#location;
    const slot = library.C_GetSlotList(true).find((one) => library.C_GetTokenInfo(one).label.trimEnd() === token);
    if (slot === undefined) throw new Error(`There is no token "${token}" in any slot.`);
    const session = library.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION);
    try {
      this.#logIn(library, session);
      const key = findKey(library, session, object);
      const gcm: Open['gcm'] = (iv, aad) => ({
        mechanism: pkcs11.CKM_AES_GCM,
        parameter: { type: gcmParameters, iv, ivBits: ivLength * 8, aad: Buffer.from(aad), tagBits: tagLength * 8 },
      });
      return { library, session, key, gcm };
    } catch (error) {
      quietly(() => library.C_CloseSession(session));
      throw failed(error);
    }
  }

  #logIn(library: Pkcs11Library, session: Handle): void {
    const { pinFile, token } = this.#location;
    if ((statSync(pinFile).mode & 0o077) !== 0) throw new Error(`${pinFile} can be read by others. Run: chmod 600 ${pinFile}`);
    const pin = readFileSync(pinFile, 'utf8').trim();
    if (pin === this.#wrongPin)
      throw new Error(`Token "${token}" has refused the PIN in ${pinFile}. Correct it: the same one is not tried again.`);
    try {
      ignoring('CKR_USER_ALREADY_LOGGED_IN', () => library.C_Login(session, pkcs11.CKU_USER, pin));
    } catch (error) {
      if (String(error).includes('CKR_PIN_')) this.#wrongPin = pin;
      throw error;
    }
  }
}

function findKey(library: Pkcs11Library, session: Handle, label: string): Handle {
  library.C_FindObjectsInit(session, [
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
    { type: pkcs11.CKA_KEY_TYPE, value: pkcs11.CKK_AES },
    { type: pkcs11.CKA_TOKEN, value: true },
    { type: pkcs11.CKA_LABEL, value: label },
  ]);
  const found = library.C_FindObjects(session, 2);
  library.C_FindObjectsFinal(session);
  const [key] = found;
  if (key === undefined || found.length > 1)
    throw new Error(`The token has ${found.length === 0 ? 'no' : 'more than one'} AES key "${label}".`);
  const [sensitive, extractable, length] = library
    .C_GetAttributeValue(session, key, [{ type: pkcs11.CKA_SENSITIVE }, { type: pkcs11.CKA_EXTRACTABLE }, { type: pkcs11.CKA_VALUE_LEN }])
    .map(({ value }) => value[0]);
  if (sensitive !== 1 || extractable !== 0)
    throw new Error(`Key "${label}" can be read out of its token. Make one that is sensitive and not extractable.`);
  if (length !== 32) throw new Error(`Key "${label}" is no AES-256 key.`);
  return key;
}

// Errors of the library: its code, and nothing else of what it was given.
function failed(error: unknown): Error {
  const code = /CKR_[A-Z0-9_]+/.exec(String(error))?.[0];
  return code === undefined ? (error as Error) : new Error(`The token answered ${code}.`, { cause: error });
}

function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // It was gone already.
  }
}

function ignoring(code: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!String(error).includes(code)) throw error;
  }
}
