// as: services/tenants/src/tenant/tenant.resolver.ts
// breaks: stint/layer | A *.resolver.ts must not import @stint/tenancy
import { type Tenancy } from '@stint/tenancy';

export type Scope = Tenancy;
