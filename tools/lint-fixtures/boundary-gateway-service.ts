// as: gateway/src/thing.ts
// breaks: @nx/enforce-module-boundaries | A project tagged with "layer:gateway" can only depend on
import { startTenants } from '@stint/tenants';

export const start = startTenants;
