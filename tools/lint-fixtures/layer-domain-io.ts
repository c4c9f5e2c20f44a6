// as: services/tenants/src/tenant/tenant.domain.ts
// breaks: stint/layer | A *.domain.ts must not import node:fs
import { readFileSync } from 'node:fs';

export const read = readFileSync;
