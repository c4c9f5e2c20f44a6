// as: services/tenants/src/tenant/tenant.domain.ts
// breaks: stint/layer | A *.domain.ts must not import a *.repository.ts
import { type TenantRepository } from './tenant.repository.ts';

export type Rows = TenantRepository;
