/** How long to wait after the n-th failure in a row. Somebody waits for a beginning; an end is tried for ever. */
export function pauseSeconds(failures: number, ending: boolean, retryAfterSeconds: number | null, chance: number): number {
  const [first, longest] = ending ? [2, 300] : [1, 15];
  const grown = Math.min(first * 2 ** Math.min(failures, 12), longest);
  // Spread, so that what an outage has piled up does not come back at once.
  return Math.max(retryAfterSeconds ?? 0, grown) * (1 + 0.25 * chance);
}
