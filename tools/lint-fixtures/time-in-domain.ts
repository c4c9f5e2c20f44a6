// as: services/jit-policy/src/grant/grant.domain.ts
// breaks: no-restricted-syntax | Time is a Clock
export const now = () => new Date();
