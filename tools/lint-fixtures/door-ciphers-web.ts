// as: clients/cli/src/keys.ts
// breaks: stint/door | crypto.subtle is behind the door "ciphers"
export const key = globalThis.crypto.subtle;
