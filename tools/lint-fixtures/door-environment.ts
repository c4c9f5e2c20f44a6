// as: services/tenants/src/app.module.ts
// breaks: stint/door | process.env is behind the door "environment". Add the value to the Zod schema in config.ts
export const url = process.env['DATABASE_URL'];
