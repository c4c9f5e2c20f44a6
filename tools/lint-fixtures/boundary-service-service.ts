// as: services/jit-policy/src/thing.ts
// breaks: @nx/enforce-module-boundaries | A project tagged with "layer:service" can only depend on
import { startTenants } from '@stint/tenants';

export const start = startTenants;
