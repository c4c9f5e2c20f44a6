// as: services/tenants/src/tenant/tenant.service.ts
// breaks: stint/layer | A *.service.ts must not import undici. A service is one use case
import { request } from 'undici';

export const call = request;
