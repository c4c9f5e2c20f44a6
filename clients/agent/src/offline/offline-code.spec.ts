import { describe, expect, test } from '@jest/globals';
import { totpCode, totpStep } from '@stint/crypto';
import { judgeCode } from './offline-code.ts';

const seed = Buffer.from('12345678901234567890');
const noon = Date.parse('2026-11-23T12:00:10Z');
const present = totpStep(new Date(noon));
const code = (offset: number) => totpCode(seed, present + offset);

describe('a code', () => {
  test.each<[string, string, number | null, object]>([
    ['of now', code(0), null, { is: 'RIGHT', step: present }],
    ['of 30 seconds ago', code(-1), null, { is: 'RIGHT', step: present - 1 }],
    ['of 30 seconds ahead', code(1), null, { is: 'RIGHT', step: present + 1 }],
    ['used already', code(0), present, { is: 'USED' }],
    ['older than the one that was used last', code(-1), present, { is: 'USED' }],
    ['newer than the one that was used last', code(1), present, { is: 'RIGHT', step: present + 1 }],
    ['of a clock that is 60 s behind the computer`s', code(-2), null, { is: 'CLOCK_OFF', aheadSeconds: 60 }],
    ['of a clock that is 90 s behind the computer`s', code(-3), null, { is: 'CLOCK_OFF', aheadSeconds: 90 }],
    ['of a clock that is 90 s ahead of the computer`s', code(3), null, { is: 'CLOCK_OFF', aheadSeconds: -90 }],
    ['of a clock that is 5 minutes off', code(10), null, { is: 'CLOCK_OFF', aheadSeconds: -300 }],
    ['of a clock that is further off: no hint', code(11), null, { is: 'WRONG' }],
    ['of another clock, but used already: no hint', code(-3), present - 3, { is: 'WRONG' }],
    ['wrong', totpCode(Buffer.from('another secret'), present), null, { is: 'WRONG' }],
    ['of seven digits', `${code(0)}0`, null, { is: 'WRONG' }],
    ['with a space', `${code(0).slice(0, 3)} ${code(0).slice(3)}`, null, { is: 'WRONG' }],
    ['with a space after it', `${code(0)} `, null, { is: 'WRONG' }],
    ['with a line end', `${code(0)}\n`, null, { is: 'WRONG' }],
    ['in Arabic digits', code(0).replace(/\d/g, (digit) => String.fromCharCode(0x660 + Number(digit))), null, { is: 'WRONG' }],
    ['empty', '', null, { is: 'WRONG' }],
  ])('%s', (_name, typed, lastStep, verdict) => expect(judgeCode(seed, typed, noon, lastStep)).toEqual(verdict));

  test('a clock set back does not open a used step again', () => {
    const used = present;
    expect(judgeCode(seed, code(0), noon, used).is).toBe('USED');
    expect(judgeCode(seed, code(-1), noon - 30_000, used).is).toBe('USED');
  });
});
