// as: libs/kernel/src/clock.ts
// breaks: stint/library-doc | Exported "addSeconds" needs a TSDoc sentence
export function addSeconds(at: Date, seconds: number): Date {
  return new Date(at.getTime() + seconds * 1000);
}

// Not part of what the library exports.
export function subtract(a: number, b: number): number {
  return a - b;
}

/** A new id. */
export function newId(): string {
  return 'id';
}
