// as: services/jit-policy/src/grant/grant.service.ts
// breaks: no-restricted-syntax | Time is a Clock
export const now = () => Date.now();
