/** An RFC 3339 instant for people: UTC, to the second, `2026-11-23 13:18:21Z`; empty for none. */
export function instant(value: string | null | undefined): string {
  return value == null ? '' : value.replace('T', ' ').replace(/(\.\d+)?(Z|[+-]00:00)$/, 'Z');
}

/** A length of time for people, `1 h 30 min`; exact, so that what is approved is what is read. */
export function duration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor((seconds % 86_400) / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'min'],
    [seconds % 60, 's'],
  ] as const;
  return (
    parts
      .filter(([amount]) => amount > 0)
      .map(([amount, unit]) => `${amount} ${unit}`)
      .join(' ') || '0 s'
  );
}

/** `yes` or `no`. */
export function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

/** An enum's value for people: `DOMAIN_CONTROLLER` → `domain controller`. */
export function words(value: string): string {
  return value.toLowerCase().replaceAll('_', ' ');
}
