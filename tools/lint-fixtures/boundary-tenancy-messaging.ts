// as: libs/tenancy/src/thing.ts
// breaks: @nx/enforce-module-boundaries | Circular dependency between "@stint/tenancy" and "@stint/messaging"
import { emit } from '@stint/messaging';

export const send = emit;
