export { startTenants, type TenantsOptions } from './start.ts';
export { tenantsConfig, type TenantsConfig } from './config.ts';
