// as: services/tenants/src/sign-in/sign-in.service.ts
// breaks: @nx/enforce-module-boundaries | layer:service
import { PasskeyEmulator } from '@stint/passkey-emulator';

export const phone = new PasskeyEmulator();
