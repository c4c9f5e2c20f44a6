// as: clients/cli/src/code.ts
// breaks: stint/door | otpauth is behind the door "one-time codes"
import { TOTP } from 'otpauth';

export const totp = new TOTP();
