// as: services/tenants/src/tenant/tenant.service.ts
// breaks: stint/door | bullmq is behind the door "queue". Declare a message in @stint/contracts
export const queue = async () => (await import('bullmq')).Queue;
