// as: libs/kernel/src/state.ts
// breaks: no-restricted-syntax | Use a union of strings
export enum State {
  Active = 'ACTIVE',
}
