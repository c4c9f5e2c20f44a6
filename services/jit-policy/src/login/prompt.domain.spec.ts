import { describe, expect, test } from '@jest/globals';
import { addSeconds } from '@stint/kernel';
import { whyNoPrompt, type PastPrompt } from './prompt.domain.ts';

const now = new Date('2026-11-23T12:00:00Z');
const ago = (seconds: number) => addSeconds(now, -seconds);
const asked = (seconds: number): PastPrompt => ({ askedAt: ago(seconds), answer: null, disownedAt: null });
const denied = (seconds: number): PastPrompt => ({ ...asked(seconds + 5), answer: { at: ago(seconds), was: 'denied' } });
const approved = (seconds: number): PastPrompt => ({ ...asked(seconds + 5), answer: { at: ago(seconds), was: 'approved' } });
const disowned = (seconds: number): PastPrompt => ({ ...asked(seconds + 5), disownedAt: ago(seconds) });

describe('whether a technician is asked', () => {
  test.each<[string, PastPrompt[], boolean]>([
    ['the first time', [], true],
    ['the third time in 10 minutes', [asked(1), asked(2)], true],
    ['the fourth time in 10 minutes', [asked(1), asked(2), asked(599.9)], false],
    ['the fourth time, the first 10 minutes ago', [asked(1), asked(2), asked(600)], true],
    ['within a minute after a denial', [denied(59.9)], false],
    ['a minute after a denial', [denied(60)], true],
    ['within 2 minutes after the second denial', [denied(119.9), denied(800)], false],
    ['2 minutes after the second denial', [denied(120), denied(800)], true],
    ['within 16 minutes after the fifth', [959.9, 2000, 3000, 4000, 5000].map(denied), false],
    ['16 minutes after the fifth', [960, 2000, 3000, 4000, 5000].map(denied), true],
    ['a minute after a denial, the former ones lying before an approval', [denied(60), approved(700), denied(800), denied(900)], true],
    ['right after an approval', [approved(1), denied(50)], true],
    ['unanswered ones do not interrupt a row of denials', [asked(110), denied(115), asked(700), denied(800)], false],
    ['within an hour after “not me”', [disowned(3599.9)], false],
    ['an hour after “not me”', [disowned(3600)], true],
  ])('%s', (_, past, yes) => {
    expect(whyNoPrompt(past, now) === null).toBe(yes);
    expect(whyNoPrompt([...past].reverse(), now) === null).toBe(yes);
  });
});
