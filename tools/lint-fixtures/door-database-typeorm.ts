// as: services/tenants/src/tenant/tenant.service.ts
// breaks: stint/door | typeorm is behind the door "database". Put SQL and rows into a *.repository.ts
import { type EntityManager } from 'typeorm';

export type Rows = EntityManager;
