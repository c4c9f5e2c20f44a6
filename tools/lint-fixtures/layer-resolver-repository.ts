// as: services/tenants/src/tenant/tenant.resolver.ts
// breaks: stint/layer | A *.resolver.ts must not import a *.repository.ts. A resolver is GraphQL in, service, GraphQL out
import { type TenantRepository } from './tenant.repository.ts';

export type Rows = TenantRepository;
