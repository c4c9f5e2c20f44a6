export { generatePassword } from './password.ts';
export { generateLapsPassword, lapsPasswordEntropyBits, type LapsPasswordPolicy } from './laps-password.ts';
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
export { generateHpkeKeyPair, type HpkeKeyPair, type Sealed } from './hpke.ts';
export { sealTo, openSealed } from './sealing.ts';
export { sealWithPassphrase, openWithPassphrase, passphraseKdf, type PassphraseSealed } from './passphrase.ts';
export { newRevealKey, openReveal, type LapsCertainty, type OpenedCandidate, type SealedCandidate } from './laps-reveal.ts';
export { lapsSealing } from './laps-sealing.ts';
export { newEntraCredentialKey, openEntraCredential, type SealedEntraCredential } from './entra-credential.ts';
export { entraSealing } from './entra-sealing.ts';
export { rootKeyIdOf, type KeyProvider } from './key-provider/key-provider.ts';
export { fileKeyProvider, rootKeyProvider } from './key-provider/file-key-provider.ts';
export { pkcs11KeyProvider } from './key-provider/pkcs11-key-provider.ts';
export { awsKmsKeyProvider, type AwsKmsOptions } from './key-provider/aws-kms-key-provider.ts';
export { openKeyProvider, keyProviderForms } from './key-provider/open-key-provider.ts';
export { newToken, hashToken } from './one-time-token.ts';
export { makeClientCertificate, signClientAssertion, type ClientCertificate } from './client-certificate.ts';
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
