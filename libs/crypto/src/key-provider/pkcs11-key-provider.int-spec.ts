import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openKeyProvider, pkcs11KeyProvider, rootKeyIdOf, type KeyProvider } from '../index.ts';
import { loadPkcs11, pkcs11, type Handle, type Pkcs11Library } from './pkcs11-library.ts';

// Where distributions keep SoftHSM, and the package that speaks to it: built by `npm ci` where there is a compiler.
const module = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib64/softhsm/libsofthsm.so', '/usr/lib64/pkcs11/libsofthsm2.so'].find(existsSync);
const built = existsSync(join(import.meta.dirname, '..', '..', '..', '..', 'node_modules', 'pkcs11js', 'build', 'Release', 'pkcs11.node'));
const installed = module !== undefined && built && spawnSync('softhsm2-util', ['--version']).status === 0;

const folder = mkdtempSync(join(tmpdir(), 'stint-softhsm-'));
const tokens = join(folder, 'tokens');
const pinFile = join(folder, 'pin');
const pin = '4711-pin';
const secret = Buffer.from('the private half of a vault key');
const uri = (object: string, token = 'stint', file = pinFile) =>
  `pkcs11:token=${token};object=${object}?module-path=${module ?? ''}&pin-source=file:${file}`;
const providers: KeyProvider[] = [];
const open = (...args: Parameters<typeof pkcs11KeyProvider>) => {
  const provider = pkcs11KeyProvider(...args);
  providers.push(provider);
  return provider;
};

/** The token goes away under a running process, as when an HSM is restarted: all its sessions and handles die. */
let library: Pkcs11Library;
const restartToken = () => {
  library.C_Finalize();
  library.C_Initialize();
};

(installed ? describe : describe.skip)('a root key on a PKCS #11 token (real SoftHSM, package softhsm2)', () => {
  beforeAll(async () => {
    mkdirSync(tokens, { recursive: true });
    const config = join(folder, 'softhsm2.conf');
    writeFileSync(config, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n`);
    await setenv('SOFTHSM2_CONF', config);
    writeFileSync(pinFile, `${pin}\n`, { mode: 0o600 });
    for (const label of ['stint', 'other'])
      execFileSync('softhsm2-util', ['--init-token', '--free', '--label', label, '--pin', pin, '--so-pin', 'so-4711'], {
        stdio: 'pipe',
        env: { PATH: process.env['PATH'], SOFTHSM2_CONF: config },
      });
    ({ library } = await loadPkcs11(module ?? ''));
    library.C_Initialize();
    makeKey('root-1', { length: 32, extractable: false });
    makeKey('root-2', { length: 32, extractable: false });
    makeKey('readable', { length: 32, extractable: true });
    makeKey('short', { length: 16, extractable: false });
    makeKey('twice', { length: 32, extractable: false });
    makeKey('twice', { length: 32, extractable: false });
  });
  afterAll(async () => {
    for (const provider of providers) await provider.close();
    library.C_Finalize();
    rmSync(folder, { recursive: true, force: true });
  });

  test('wraps and unwraps, in its place and unaltered alone', async () => {
    const provider = open(uri('root-1'));
    const envelope = await provider.wrap(secret, 'a');
    expect(envelope.includes(secret)).toBe(false);
    expect(rootKeyIdOf(envelope)).toBe(provider.rootKeyId);
    expect(await provider.unwrap(envelope, 'a')).toEqual(secret);
    expect(await provider.wrap(secret, 'a')).not.toEqual(envelope);
    await expect(provider.unwrap(envelope, 'b')).rejects.toThrow();
    for (let at = 9; at < envelope.length; at += 7) {
      const altered = Buffer.from(envelope);
      altered[at] = (altered[at] ?? 0) ^ 1;
      await expect(provider.unwrap(altered, 'a')).rejects.toThrow();
    }
    for (const length of [9, 20, 36]) await expect(provider.unwrap(envelope.subarray(0, length), 'a')).rejects.toThrow();
    // What was refused has broken nothing.
    expect(await provider.unwrap(envelope, 'a')).toEqual(secret);
    await expect(provider.derive('audit')).rejects.toThrow('does not leave its device');
  });

  test('many at once', async () => {
    const provider = open(uri('root-1'));
    const opened = await Promise.all(
      Array.from({ length: 50 }, async (_, i) =>
        (await provider.unwrap(await provider.wrap(Buffer.from(`${i}`), `${i}`), `${i}`)).toString(),
      ),
    );
    expect(opened).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`));
  });

  test('goes on by itself after the token was restarted', async () => {
    const provider = open(uri('root-1'));
    const envelope = await provider.wrap(secret, 'a');
    restartToken();
    expect(await provider.unwrap(envelope, 'a')).toEqual(secret);
    restartToken();
    expect(await provider.unwrap(await provider.wrap(secret, 'b'), 'b')).toEqual(secret);
  });

  test('fails while the token is away, and works when it is back', async () => {
    const provider = open(uri('root-1'));
    const envelope = await provider.wrap(secret, 'a');
    library.C_Finalize();
    renameSync(tokens, `${tokens}-away`);
    mkdirSync(tokens);
    await expect(provider.unwrap(envelope, 'a')).rejects.toThrow();
    await expect(open(uri('root-1')).wrap(secret, 'a')).rejects.toThrow('no token "stint"');
    rmSync(tokens, { recursive: true });
    renameSync(`${tokens}-away`, tokens);
    restartToken();
    expect(await provider.unwrap(envelope, 'a')).toEqual(secret);
  });

  test('follows another root key: on the token, or from a file onto it', async () => {
    const before = await open(uri('root-1')).wrap(secret, 'a');
    expect(await open(uri('root-2'), uri('root-1')).unwrap(before, 'a')).toEqual(secret);
    await expect(open(uri('root-2')).unwrap(before, 'a')).rejects.toThrow('another root key');
    const file = join(folder, 'root.key');
    writeFileSync(file, '0f'.repeat(32), { mode: 0o600 });
    const inFile = await openKeyProvider(`file:${file}`).wrap(secret, 'a');
    const moved = openKeyProvider(`${uri('root-1')},file:${file}`);
    providers.push(moved);
    expect(await moved.unwrap(inFile, 'a')).toEqual(secret);
    expect(await moved.unwrap(before, 'a')).toEqual(secret);
  });

  test.each([
    ['that can be read out of the token', 'readable', 'can be read out'],
    ['of 128 bits', 'short', 'no AES-256 key'],
    ['whose label another one has', 'twice', 'more than one'],
    ['that is not there', 'missing', 'no AES key'],
  ])('a key %s is refused', async (_, label, why) => {
    await expect(open(uri(label)).wrap(secret, 'a')).rejects.toThrow(why);
  });

  test('a wrong PIN is tried once, for the token locks itself; a corrected file is', async () => {
    const file = join(folder, 'wrong-pin');
    writeFileSync(file, 'wrong', { mode: 0o600 });
    // Nobody is logged in to this token yet: a log-in counts for the whole process.
    const provider = open(uri('root-1', 'other', file));
    await expect(provider.wrap(secret, 'a')).rejects.toThrow('CKR_PIN_INCORRECT');
    for (let i = 0; i < 20; i += 1) await expect(provider.wrap(secret, 'a')).rejects.toThrow('not tried again');
    writeFileSync(file, pin, { mode: 0o600 });
    await expect(provider.wrap(secret, 'a')).rejects.toThrow('no AES key');
  });
});

/** Jest's `process.env` is a copy, which native code does not see; a thread that shares the environment writes the real one. */
async function setenv(name: string, value: string): Promise<void> {
  const code = `process.env[${JSON.stringify(name)}] = ${JSON.stringify(value)};`;
  await once(new Worker(code, { eval: true, env: SHARE_ENV }), 'exit');
}

function makeKey(label: string, { length, extractable }: { length: number; extractable: boolean }): Handle {
  const generator = library as Pkcs11Library & {
    C_GenerateKey(session: Handle, mechanism: { mechanism: number }, template: object[]): Handle;
  };
  const slot = library.C_GetSlotList(true).find((one) => library.C_GetTokenInfo(one).label.trimEnd() === 'stint') ?? Buffer.alloc(0);
  const [rw, CKM_AES_KEY_GEN, CKA_ENCRYPT, CKA_DECRYPT] = [2, 0x1080, 0x104, 0x105];
  const session = library.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION | rw);
  try {
    library.C_Login(session, pkcs11.CKU_USER, pin);
    return generator.C_GenerateKey(session, { mechanism: CKM_AES_KEY_GEN }, [
      { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
      { type: pkcs11.CKA_TOKEN, value: true },
      { type: pkcs11.CKA_LABEL, value: label },
      { type: pkcs11.CKA_VALUE_LEN, value: length },
      { type: pkcs11.CKA_SENSITIVE, value: !extractable },
      { type: pkcs11.CKA_EXTRACTABLE, value: extractable },
      { type: CKA_ENCRYPT, value: true },
      { type: CKA_DECRYPT, value: true },
    ]);
  } finally {
    library.C_CloseSession(session);
  }
}
