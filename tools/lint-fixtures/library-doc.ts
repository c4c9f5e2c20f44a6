// as: libs/kernel/src/add.ts
// breaks: stint/library-doc | Exported "add" needs a TSDoc sentence
export function add(a: number, b: number): number {
  return a + b;
}

/** Takes `b` from `a`. */
export function subtract(a: number, b: number): number {
  return a - b;
}
