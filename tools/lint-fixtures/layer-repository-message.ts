// as: services/tenants/src/tenant/tenant.repository.ts
// breaks: stint/layer | A *.repository.ts must not import @stint/messaging
import { emit } from '@stint/messaging';

export const send = emit;
