/** An audit event's details (a flat JSON object) for people: `reason="Printer" uses=1`; as they are where they are anything else. */
export function facts(details: string): string {
  try {
    const parsed: unknown = JSON.parse(details);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return details;
    return Object.entries(parsed)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join(' ');
  } catch {
    return details;
  }
}
