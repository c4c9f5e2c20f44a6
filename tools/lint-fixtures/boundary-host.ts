// as: libs/host/src/thing.ts
// breaks: @nx/enforce-module-boundaries | A project tagged with "lib:host" can only depend on libs tagged with "lib:kernel"
import { Tenancy } from '@stint/tenancy';

export const all = Tenancy;
