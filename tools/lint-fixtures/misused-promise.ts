// breaks: @typescript-eslint/no-misused-promises | Expected non-Promise value in a boolean conditional
export function check(allowed: () => Promise<boolean>): string {
  return allowed() ? 'yes' : 'no';
}
