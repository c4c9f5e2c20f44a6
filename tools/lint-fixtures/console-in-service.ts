// as: services/tenants/src/tenant/tenant.service.ts
// breaks: no-console | Unexpected console statement
console.log('tenant');
