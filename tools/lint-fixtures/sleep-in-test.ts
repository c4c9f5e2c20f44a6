// as: services/jit-policy/src/login/login.int-spec.ts
// breaks: no-restricted-syntax | Tests do not sleep
export const sleep = () => new Promise((wake) => setTimeout(wake, 1000));
