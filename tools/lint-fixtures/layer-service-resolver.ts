// as: services/tenants/src/tenant/tenant.service.ts
// breaks: stint/layer | A *.service.ts must not import a *.resolver.ts
import { type TenantResolver } from './tenant.resolver.ts';

export type Answer = TenantResolver;
