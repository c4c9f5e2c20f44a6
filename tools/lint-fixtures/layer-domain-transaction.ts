// as: services/tenants/src/tenant/tenant.domain.ts
// breaks: stint/layer | A *.domain.ts must not import @stint/tenancy
import { type TenantTx } from '@stint/tenancy';

export type Scope = TenantTx;
