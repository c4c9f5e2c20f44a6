import { matchTotp, totpCode, totpPeriodSeconds, totpStep } from '@stint/crypto';

/** How far a clock may be off to be told so: five minutes. */
const furthestHintSteps = 10;

/** What a code is worth. `CLOCK_OFF`: it would be right, had the computer's clock not been ahead by so many seconds (negative: behind). */
export type CodeVerdict = { is: 'RIGHT'; step: number } | { is: 'USED' | 'WRONG' } | { is: 'CLOCK_OFF'; aheadSeconds: number };

/** Judges a code: exactly six ASCII digits, the present step or one beside it, each step once. Anything but RIGHT is a failure. */
export function judgeCode(seed: Buffer, code: string, wallMs: number, lastStep: number | null): CodeVerdict {
  const now = new Date(wallMs);
  const step = matchTotp({ seed, code, now, lastStep });
  if (step !== null) return { is: 'RIGHT', step };
  if (matchTotp({ seed, code, now, lastStep: null }) !== null) return { is: 'USED' };
  const present = totpStep(now);
  for (let off = 2; off <= furthestHintSteps; off++) {
    for (const steps of [off, -off]) {
      const of = present - steps;
      if (of > (lastStep ?? 0) && totpCode(seed, of) === code) return { is: 'CLOCK_OFF', aheadSeconds: steps * totpPeriodSeconds };
    }
  }
  return { is: 'WRONG' };
}
