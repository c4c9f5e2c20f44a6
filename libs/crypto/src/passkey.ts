import { createHash } from 'node:crypto';
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';

/** COSE algorithm numbers that passkeys may use: ES256, EdDSA, RS256. */
export const passkeyAlgorithms: readonly number[] = [-7, -8, -257];

/** What is kept of a passkey. */
export interface Passkey {
  /** The credential id, base64url. */
  id: string;
  /** The COSE key, base64url. */
  publicKey: string;
  algorithm: number;
}
/** What the response must have been made for. */
export interface PasskeyExpectation {
  /** base64url. */
  challenge: string;
  origin: string;
  rpId: string;
}
/** The first thing found wrong with a response. */
export type PasskeyFailure =
  | 'malformed'
  | 'type'
  | 'challenge'
  | 'origin'
  | 'rp-id'
  | 'user-verification'
  | 'attestation'
  | 'algorithm'
  | 'other-passkey'
  | 'counter'
  | 'signature';
/** A registration that was right. */
interface Registered {
  ok: true;
  passkey: Passkey;
  counter: number;
  /** True when the passkey is synchronised to further devices of its owner. */
  backedUp: boolean;
}
/** An assertion that was right. */
interface Asserted {
  ok: true;
  counter: number;
  backedUp: boolean;
}
interface Refused {
  ok: false;
  failure: PasskeyFailure;
}

// 80 bytes of client data and 37 of authenticator data are usual; a certificate chain is not asked for.
const longestResponse = 8_192;
// Takes a third of a second and 20 MB to load: only who verifies passkeys pays, not every agent that seals.
const webauthn = () => import('@simplewebauthn/server');
const helpers = () => import('@simplewebauthn/server/helpers');

/** Options for `navigator.credentials.create`: a discoverable passkey with user verification, no attestation (WebAuthn §5.4), as JSON. */
export async function passkeyRegistrationOptions(input: {
  rpId: string;
  user: { id: Uint8Array; name: string; displayName: string };
  /** Passkeys that the person has already. */
  exclude?: readonly string[];
  timeoutSeconds: number;
}): Promise<{ challenge: string; optionsJson: string }> {
  const { generateRegistrationOptions } = await webauthn();
  const options = await generateRegistrationOptions({
    rpName: 'Stint',
    rpID: input.rpId,
    userID: new Uint8Array(input.user.id),
    userName: input.user.name,
    userDisplayName: input.user.displayName,
    timeout: input.timeoutSeconds * 1000,
    attestationType: 'none',
    excludeCredentials: (input.exclude ?? []).map((id) => ({ id })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    supportedAlgorithmIDs: [...passkeyAlgorithms],
  });
  return { challenge: options.challenge, optionsJson: JSON.stringify(options) };
}

/** Options for `navigator.credentials.get` with user verification, as JSON; `challenge` (base64url) is 32 random bytes unless given, and any passkey of the site is asked for unless `allow` names some. */
export async function passkeyRequestOptions(input: {
  rpId: string;
  challenge?: string;
  allow?: readonly string[];
  timeoutSeconds: number;
}): Promise<{ challenge: string; optionsJson: string }> {
  const { generateAuthenticationOptions } = await webauthn();
  const options = await generateAuthenticationOptions({
    rpID: input.rpId,
    ...(input.challenge !== undefined && { challenge: new Uint8Array(Buffer.from(input.challenge, 'base64url')) }),
    ...(input.allow !== undefined && { allowCredentials: input.allow.map((id) => ({ id })) }),
    timeout: input.timeoutSeconds * 1000,
    userVerification: 'required',
  });
  return { challenge: options.challenge, optionsJson: JSON.stringify(options) };
}

/** What a response (JSON) says of itself, unproved: enough to look up whose it could be and what it answers. Null when it is malformed. */
export function readPasskeyResponse(responseJson: string): { passkeyId: string; challenge: string; userHandle: string | null } | null {
  try {
    const { id, response } = parse<AuthenticationResponseJSON>(responseJson);
    const { challenge } = JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString()) as { challenge: unknown };
    const userHandle = response.userHandle ?? null;
    if (typeof id !== 'string' || typeof challenge !== 'string' || !['string', 'object'].includes(typeof userHandle)) return null;
    return { passkeyId: id, challenge, userHandle };
  } catch {
    return null;
  }
}

/** Verifies a registration (RegistrationResponseJSON as a string; WebAuthn §7.1): the new passkey, or the first thing found wrong. */
export async function verifyPasskeyRegistration(responseJson: string, expected: PasskeyExpectation): Promise<Registered | Refused> {
  return guarded(async (): Promise<Registered | Refused> => {
    const response = parse<RegistrationResponseJSON>(responseJson);
    const { decodeAttestationObject, parseAuthenticatorData, isoBase64URL, cose, decodeCredentialPublicKey } = await helpers();
    const attestation = decodeAttestationObject(isoBase64URL.toBuffer(response.response.attestationObject));
    const authenticatorData = parseAuthenticatorData(attestation.get('authData'));
    const failure = firstWrong('webauthn.create', response.response.clientDataJSON, authenticatorData, expected);
    if (failure !== null) return { ok: false, failure };
    const key = authenticatorData.credentialPublicKey ?? new Uint8Array();
    const algorithm = decodeCredentialPublicKey(key).get(cose.COSEKEYS.alg);
    if (algorithm === undefined || !passkeyAlgorithms.includes(algorithm)) return { ok: false, failure: 'algorithm' };
    // Attestation is not asked for; what a browser may pass on nevertheless is signed by the passkey itself.
    if (!['none', 'packed'].includes(attestation.get('fmt'))) return { ok: false, failure: 'attestation' };
    const { verifyRegistrationResponse } = await webauthn();
    const { registrationInfo } = await verifyRegistrationResponse({
      ...{ response, expectedChallenge: expected.challenge, expectedOrigin: expected.origin, expectedRPID: expected.rpId },
      ...{ requireUserVerification: true, supportedAlgorithmIDs: [...passkeyAlgorithms] },
    });
    if (registrationInfo === undefined) return { ok: false, failure: 'attestation' };
    const { credential, credentialBackedUp: backedUp } = registrationInfo;
    if (credential.id !== response.id) return { ok: false, failure: 'other-passkey' };
    const passkey = { id: credential.id, publicKey: Buffer.from(credential.publicKey).toString('base64url'), algorithm };
    return { ok: true, passkey, counter: credential.counter, backedUp };
  });
}

/**
 * Verifies an assertion (AuthenticationResponseJSON as a string; WebAuthn §7.2) of this passkey, or tells the first thing
 * found wrong. `counter` is the highest seen: one that does not grow is refused unless the authenticator never counts (0).
 */
export async function verifyPasskeyAssertion(
  responseJson: string,
  expected: PasskeyExpectation & { passkey: Pick<Passkey, 'id' | 'publicKey'>; counter?: number },
): Promise<Asserted | Refused> {
  return guarded(async (): Promise<Asserted | Refused> => {
    const response = parse<AuthenticationResponseJSON>(responseJson);
    if (response.id !== expected.passkey.id) return { ok: false, failure: 'other-passkey' };
    const { parseAuthenticatorData, isoBase64URL } = await helpers();
    const authenticatorData = parseAuthenticatorData(isoBase64URL.toBuffer(response.response.authenticatorData));
    const failure = firstWrong('webauthn.get', response.response.clientDataJSON, authenticatorData, expected);
    if (failure !== null) return { ok: false, failure };
    const seen = expected.counter ?? 0;
    const { counter } = authenticatorData;
    if (seen > 0 && counter <= seen) return { ok: false, failure: 'counter' };
    const { verifyAuthenticationResponse } = await webauthn();
    const publicKey = new Uint8Array(Buffer.from(expected.passkey.publicKey, 'base64url'));
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      ...{ response, expectedChallenge: expected.challenge, expectedOrigin: expected.origin, expectedRPID: expected.rpId },
      ...{ credential: { id: response.id, publicKey, counter: seen }, requireUserVerification: true },
    });
    return verified ? { ok: true, counter, backedUp: authenticationInfo.credentialBackedUp } : { ok: false, failure: 'signature' };
  });
}

/** What the library checks too, looked at first for a reason that does not hang on the words of its errors. */
function firstWrong(
  type: string,
  clientDataJson: string,
  authenticatorData: { rpIdHash: Uint8Array; flags: { up: boolean; uv: boolean } },
  expected: PasskeyExpectation,
): PasskeyFailure | null {
  const clientData = parse<Record<string, unknown>>(Buffer.from(clientDataJson, 'base64url').toString());
  if (clientData['type'] !== type) return 'type';
  if (clientData['challenge'] !== expected.challenge) return 'challenge';
  // Never from within another site's frame.
  if (clientData['origin'] !== expected.origin || clientData['crossOrigin'] === true) return 'origin';
  const rpIdHash = createHash('sha256').update(expected.rpId).digest();
  if (!rpIdHash.equals(authenticatorData.rpIdHash)) return 'rp-id';
  return authenticatorData.flags.up && authenticatorData.flags.uv ? null : 'user-verification';
}

/** What somebody sent is never an error of ours: whatever cannot be read is `malformed`. */
async function guarded<Result>(verify: () => Promise<Result>): Promise<Result | Refused> {
  try {
    return await verify();
  } catch {
    return { ok: false, failure: 'malformed' };
  }
}

function parse<Shape>(json: string): Shape {
  if (json.length > longestResponse) throw new RangeError('Too long.');
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null) throw new TypeError('Not an object.');
  return value as Shape;
}
