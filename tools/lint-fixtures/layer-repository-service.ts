// as: services/tenants/src/tenant/tenant.repository.ts
// breaks: stint/layer | A *.repository.ts must not import a *.service.ts
import { type TenantService } from './tenant.service.ts';

export type Use = TenantService;
