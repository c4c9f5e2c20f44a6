// as: clients/agent/src/keys.ts
// breaks: stint/door | node:crypto as a whole (import by name) is behind the door "ciphers"
import * as crypto from 'node:crypto';

export const bytes = crypto.randomBytes(32);
