// as: services/jit-policy/src/login/login.domain.ts
// breaks: no-restricted-syntax | A domain function gets randomness passed in
export const dice = () => Math.random();
