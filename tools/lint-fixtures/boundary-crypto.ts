// as: libs/crypto/src/thing.ts
// breaks: @nx/enforce-module-boundaries | A project tagged with "lib:crypto" can only depend on libs tagged with "lib:kernel", "lib:contracts"
import { type Tenancy } from '@stint/tenancy';

export type Database = Tenancy;
