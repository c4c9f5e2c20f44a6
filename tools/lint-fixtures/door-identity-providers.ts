// as: services/tenants/src/sign-in/sign-in.service.ts
// breaks: stint/door | openid-client is behind the door "identity providers"
import { discovery } from 'openid-client';

export const begin = discovery;
