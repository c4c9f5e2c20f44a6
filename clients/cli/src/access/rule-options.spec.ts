import { describe, expect, test } from '@jest/globals';
import { hours, hoursText } from './rule-options.ts';

const week = ['MON', 'TUE', 'WED', 'THU', 'FRI'];

describe('hours', () => {
  test.each([
    ['mon-fri 08:00-18:00', { days: week, from: '08:00', to: '18:00' }],
    [' SAT,sun 10:00-14:30', { days: ['SAT', 'SUN'], from: '10:00', to: '14:30' }],
    ['sun 22:00-06:00', { days: ['SUN'], from: '22:00', to: '06:00' }],
    ['mon-tue,thu 00:00-24:00', { days: ['MON', 'TUE', 'THU'], from: '00:00', to: '24:00' }],
  ])('%j', (text, expected) => expect(hours(text, [])).toEqual([expected]));

  test.each([
    '',
    'mon',
    'mon 8-18',
    'fri-mon 08:00-18:00',
    'moon 08:00-18:00',
    'mon-tue-wed 08:00-18:00',
    'mon 08:00-18:60',
    'mon, 08:00-18:00',
  ])('%j is refused', (text) => expect(() => hours(text, [])).toThrow('It must look like'));

  test('collect', () => expect(hours('sun 10:00-12:00', hours('mon 08:00-18:00', undefined))).toHaveLength(2));

  test.each([
    ['mon-fri 08:00-18:00', 'mon-fri 08:00-18:00'],
    ['sun,sat 10:00-14:30', 'sat,sun 10:00-14:30'],
    ['mon,wed,fri 10:00-14:30', 'mon,wed,fri 10:00-14:30'],
  ])('%j is shown as %j', (text, shown) => expect(hours(text, []).map(hoursText)).toEqual([shown]));
});
