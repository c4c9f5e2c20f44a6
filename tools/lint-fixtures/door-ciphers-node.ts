// as: services/tenants/src/totp/totp.service.ts
// breaks: stint/door | createCipheriv of node:crypto is behind the door "ciphers". Sealing, wrapping and key agreement belong into libs/crypto
import { createCipheriv, randomBytes } from 'node:crypto';

export const cipher = createCipheriv('aes-256-gcm', randomBytes(32), randomBytes(12));
