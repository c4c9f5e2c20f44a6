// as: services/tenants/src/utils/dates.ts
// breaks: stint/file-name | "utils" says nothing
export const name = 'dates';
