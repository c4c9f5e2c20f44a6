// breaks: @typescript-eslint/switch-exhaustiveness-check | "ENDED"
export function label(state: 'ACTIVE' | 'ENDED'): string {
  switch (state) {
    case 'ACTIVE':
      return 'in use';
  }
  return '';
}
