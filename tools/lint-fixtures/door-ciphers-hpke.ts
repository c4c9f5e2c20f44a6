// as: clients/agent/src/seal.ts
// breaks: stint/door | @hpke/core is behind the door "ciphers"
import { CipherSuite } from '@hpke/core';

export const suite = CipherSuite;
