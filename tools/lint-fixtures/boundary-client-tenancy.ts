// as: clients/agent/src/thing.ts
// breaks: @nx/enforce-module-boundaries | A project tagged with "layer:client" can only depend on
import { type Tenancy } from '@stint/tenancy';

export type Database = Tenancy;
