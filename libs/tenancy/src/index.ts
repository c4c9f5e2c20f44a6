export { Tenancy, type Tx, type ReadTx, type TenantTx, type SystemTx, type TenancyOptions } from './tenancy.ts';
export { migrate } from './migrate.ts';
export { provision, rolesOf, type ServiceRoles } from './provision.ts';
export { CopyMissing, enterCopied, inCopiedTenant, mayStillArrive, patiently, visiblePatiently } from './patience.ts';
