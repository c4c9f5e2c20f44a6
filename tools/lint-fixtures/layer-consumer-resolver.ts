// as: services/tenants/src/audit/audit.consumer.ts
// breaks: stint/layer | A *.consumer.ts must not import a *.resolver.ts
import { type AuditResolver } from './audit.resolver.ts';

export type Answer = AuditResolver;
