// as: services/jit-policy/src/thing.ts
// breaks: @nx/enforce-module-boundaries | Projects cannot be imported by a relative or absolute path
import { startTenants } from '../../tenants/src/index.ts';

export const start = startTenants;
