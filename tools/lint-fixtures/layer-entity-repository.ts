// as: services/tenants/src/tenant/tenant.entity.ts
// breaks: stint/layer | A *.entity.ts must not import a *.repository.ts
import { type TenantRepository } from './tenant.repository.ts';

export type Rows = TenantRepository;
