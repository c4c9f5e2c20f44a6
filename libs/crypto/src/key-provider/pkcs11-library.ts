/** A handle of the library's. */
export type Handle = Buffer;

interface Attribute {
  type: number;
  value?: Buffer | number | boolean | string;
}

interface Mechanism {
  mechanism: number;
  parameter: { type: number; iv: Buffer; ivBits: number; aad: Buffer; tagBits: number };
}

/**
 * The part of `pkcs11js` that is used here. Written down because the package is a native one that is only there where it
 * could be built: types of a package that may be missing would break the build of everybody else.
 */
export interface Pkcs11Library {
  load(path: string): void;
  C_Initialize(): void;
  C_Finalize(): void;
  C_GetSlotList(tokenPresent: boolean): Handle[];
  C_GetTokenInfo(slot: Handle): { label: string };
  C_OpenSession(slot: Handle, flags: number): Handle;
  C_CloseSession(session: Handle): void;
  C_Login(session: Handle, userType: number, pin: string): void;
  C_FindObjectsInit(session: Handle, template: Attribute[]): void;
  C_FindObjects(session: Handle, most: number): Handle[];
  C_FindObjectsFinal(session: Handle): void;
  C_GetAttributeValue(session: Handle, object: Handle, template: Attribute[]): { type: number; value: Buffer }[];
  C_EncryptInit(session: Handle, mechanism: Mechanism, key: Handle): void;
  C_EncryptAsync(session: Handle, plaintext: Buffer, out: Buffer): Promise<Buffer>;
  C_DecryptInit(session: Handle, mechanism: Mechanism, key: Handle): void;
  C_DecryptAsync(session: Handle, ciphertext: Buffer, out: Buffer): Promise<Buffer>;
}

/** Numbers of PKCS #11 v3.0 (pkcs11t.h), and how `pkcs11js` calls a mechanism's parameters. */
export const pkcs11 = {
  CKO_SECRET_KEY: 4,
  CKK_AES: 0x1f,
  CKA_CLASS: 0,
  CKA_TOKEN: 1,
  CKA_LABEL: 3,
  CKA_KEY_TYPE: 0x100,
  CKA_SENSITIVE: 0x103,
  CKA_VALUE_LEN: 0x161,
  CKA_EXTRACTABLE: 0x162,
  CKM_AES_GCM: 0x1087,
  CKF_SERIAL_SESSION: 4,
  CKU_USER: 1,
  gcmParameters: 'CK_PARAMS_AES_GCM_v240',
} as const;

const packageName: string = 'pkcs11js';

/** Loads the native package and with it a token's module. Throws with what to install where the package is missing. */
export async function loadPkcs11(modulePath: string): Promise<{ library: Pkcs11Library; gcmParameters: number }> {
  const loaded = await import(packageName).catch((error: unknown) => {
    throw new Error(
      'PKCS #11 needs the package pkcs11js, which could not be built when Stint was installed. Install a C++ compiler, make and Python, and run "npm ci" again.',
      { cause: error },
    );
  });
  const exported = (loaded as { default: Record<string, unknown> }).default;
  const library = new (exported['PKCS11'] as new () => Pkcs11Library)();
  library.load(modulePath);
  return { library, gcmParameters: exported[pkcs11.gcmParameters] as number };
}
