// as: libs/kernel/src/state.ts
// breaks: no-restricted-syntax | Export by name
export default 1;
