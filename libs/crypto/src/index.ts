export { generatePassword } from './password.ts';
export {
  newTotpSeed,
  totpUri,
  totpCode,
  totpStep,
  matchTotp,
  totpClockHint,
  totpPeriodSeconds,
  deviceTotpSeed,
  offlineTotpInfo,
  offlineTotpPlace,
} from './totp.ts';
export {
  generateSigningKey,
  publicKeyX,
  publicKeyFromX,
  privateKeyFromPem,
  privateKeyToPem,
  signDetached,
  verifyDetached,
} from './signing.ts';
export { generateHpkeKeyPair, sealTo, openSealed, type HpkeKeyPair, type Sealed } from './sealing.ts';
export { fileKeyProvider, rootKeyProvider, type KeyProvider } from './key-provider.ts';
export { newToken, hashToken } from './one-time-token.ts';
export {
  passkeyAlgorithms,
  passkeyRegistrationOptions,
  passkeyRequestOptions,
  readPasskeyResponse,
  verifyPasskeyAssertion,
  verifyPasskeyRegistration,
  type Passkey,
  type PasskeyExpectation,
  type PasskeyFailure,
} from './passkey.ts';
