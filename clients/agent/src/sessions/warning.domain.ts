/** How long before its end a session of this length is told: as the server says, but at most a fifth of it. */
export function warnBeforeMs(warnSeconds: number, sessionMs: number): number {
  return Math.min(warnSeconds * 1000, sessionMs / 5);
}

/** Whether a session must be told now. `warnedForMs`: the length for which it was told already; an extended one is told again. */
export function mustWarn(of: { warnSeconds: number; sessionMs: number; remainingMs: number; warnedForMs: number | undefined }): boolean {
  if (of.remainingMs <= 0 || of.warnSeconds === 0 || of.warnedForMs === of.sessionMs) return false;
  return of.remainingMs <= warnBeforeMs(of.warnSeconds, of.sessionMs);
}

/** What the technician reads: how much is left, and how to get more. */
export function warningText(account: string, secondsLeft: number): string {
  const left = secondsLeft >= 90 ? `${Math.round(secondsLeft / 60)} minutes` : `${secondsLeft} seconds`;
  return `Stint: the access of ${account} ends in ${left}. To go on, extend it on the phone, or with: stint grant extend`;
}
