/** Typed text as the server writes it down, so that the signature covers the very same: null for none. */
export function asKept(text: string): string | null {
  return text.trim() === '' ? null : text.normalize('NFC').trim();
}
