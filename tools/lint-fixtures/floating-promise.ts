// breaks: @typescript-eslint/no-floating-promises | Promises must be awaited
export function forget(save: () => Promise<void>): void {
  save();
}
