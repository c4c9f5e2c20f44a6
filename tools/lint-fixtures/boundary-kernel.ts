// as: libs/kernel/src/thing.ts
// breaks: @nx/enforce-module-boundaries | Circular dependency between "@stint/kernel" and "@stint/contracts"
import { permissions } from '@stint/contracts';

export const all = permissions;
