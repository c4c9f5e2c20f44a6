export { EmulatedPasskey, type PasskeyAlgorithm, type SavedPasskey } from './emulated-passkey.ts';
export { PasskeyEmulator } from './passkey-emulator.ts';
export type { Attack } from './attack.ts';
