// as: libs/host/src/thing.ts
// breaks: @nx/enforce-module-boundaries | A project tagged with "lib:host" can only depend on libs tagged with "lib:kernel"
import { permissions } from '@stint/contracts';

export const all = permissions;
