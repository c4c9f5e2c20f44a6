import { describe, expect, test } from '@jest/globals';
import { checkedHours, hoursInWords, isWithin, type HourRange, type Weekday } from './hours.domain.ts';

const workdays: Weekday[] = ['MON', 'TUE', 'WED', 'THU', 'FRI'];
const range = (from: string, to: string, days: Weekday[] = workdays): HourRange => ({ days, from, to });
const berlin = (...ranges: HourRange[]) => ({ ranges, timeZone: 'Europe/Berlin' });

describe('a rule counts', () => {
  test.each<[string, HourRange, string, boolean]>([
    ['in the middle of a winter day', range('08:00', '18:00'), '2026-11-23T11:00:00Z', true],
    ['from its first minute', range('08:00', '18:00'), '2026-11-23T07:00:00Z', true],
    ['not before', range('08:00', '18:00'), '2026-11-23T06:59:59Z', false],
    ['until its last second', range('08:00', '18:00'), '2026-11-23T16:59:59Z', true],
    ['not at its end', range('08:00', '18:00'), '2026-11-23T17:00:00Z', false],
    ['an hour earlier in summer', range('08:00', '18:00'), '2026-07-20T06:00:00Z', true],
    ['not on Sunday', range('08:00', '18:00'), '2026-11-22T11:00:00Z', false],
    ['by the day of its zone, not of UTC', range('00:00', '02:00', ['MON']), '2026-11-22T23:30:00Z', true],
    ['until the end of the day', range('18:00', '24:00', ['MON']), '2026-11-23T22:59:59Z', true],
    ['not on the next day', range('18:00', '24:00', ['MON']), '2026-11-23T23:00:00Z', false],
    ['all day', range('00:00', '24:00', ['MON']), '2026-11-22T23:00:00Z', true],
    ['before midnight of a night', range('22:00', '06:00', ['FRI']), '2026-11-27T22:00:00Z', true],
    ['after midnight of a night, which is the day before`s', range('22:00', '06:00', ['FRI']), '2026-11-28T04:59:00Z', true],
    ['not when the night is over', range('22:00', '06:00', ['FRI']), '2026-11-28T05:00:00Z', false],
    ['not in the night before', range('22:00', '06:00', ['FRI']), '2026-11-27T04:00:00Z', false],
    ['from Sunday into Monday', range('22:00', '06:00', ['SUN']), '2026-11-23T04:00:00Z', true],
    ['to midnight', range('22:00', '00:00', ['MON']), '2026-11-23T22:59:00Z', true],
    ['not after midnight', range('22:00', '00:00', ['MON']), '2026-11-23T23:00:00Z', false],
    // Europe/Berlin: on 29 March 2026 02:00 becomes 03:00, on 25 October 2026 03:00 becomes 02:00.
    ['on the morning that loses an hour: the hour before', range('01:00', '02:30', ['SUN']), '2026-03-29T00:59:00Z', true],
    ['on the morning that loses an hour: it is 03:00 at once', range('01:00', '02:30', ['SUN']), '2026-03-29T01:00:00Z', false],
    ['the hour that is skipped never comes', range('02:00', '03:00', ['SUN']), '2026-03-29T01:30:00Z', false],
    ['the hour that comes twice: first', range('02:00', '03:00', ['SUN']), '2026-10-25T00:30:00Z', true],
    ['the hour that comes twice: second', range('02:00', '03:00', ['SUN']), '2026-10-25T01:30:00Z', true],
    ['and then it is over', range('02:00', '03:00', ['SUN']), '2026-10-25T02:00:00Z', false],
  ])('%s', (_, one, at, expected) => {
    expect(isWithin(berlin(one), new Date(at))).toBe(expected);
  });

  test('always without hours, and in any of several', () => {
    expect(isWithin({ ranges: [], timeZone: null }, new Date())).toBe(true);
    const two = berlin(range('08:00', '09:00', ['MON']), range('11:00', '13:00', ['MON']));
    expect(isWithin(two, new Date('2026-11-23T11:30:00Z'))).toBe(true);
    expect(isWithin(two, new Date('2026-11-23T09:30:00Z'))).toBe(false);
  });
});

describe('hours as somebody typed them', () => {
  test('days come back once each, in the order of the week', () => {
    expect(checkedHours([range('08:00', '18:00', ['FRI', 'MON', 'FRI'])], 'Europe/Berlin')).toEqual(
      berlin(range('08:00', '18:00', ['MON', 'FRI'])),
    );
    expect(checkedHours([], null)).toEqual({ ranges: [], timeZone: null });
  });

  test.each<[string, HourRange[], string | null, string]>([
    ['no day', [range('08:00', '18:00', [])], 'UTC', 'hours.0.days'],
    ['24:00 as a beginning', [range('24:00', '08:00')], 'UTC', 'hours.0.from'],
    ['one digit', [range('8:00', '18:00')], 'UTC', 'hours.0.from'],
    ['no time', [range('08:00', 'noon')], 'UTC', 'hours.0.to'],
    ['minute 60', [range('08:00', '18:00'), range('08:00', '17:60')], 'UTC', 'hours.1.to'],
    ['24:01', [range('08:00', '24:01')], 'UTC', 'hours.0.to'],
    ['nothing in between', [range('08:00', '08:00')], 'UTC', 'hours.0.to'],
    ['too many', Array.from({ length: 11 }, () => range('08:00', '18:00')), 'UTC', 'hours'],
    ['no zone', [range('08:00', '18:00')], null, 'timeZone'],
    ['a zone alone', [], 'Europe/Berlin', 'timeZone'],
    ['an unknown zone', [range('08:00', '18:00')], 'Europe/Atlantis', 'timeZone'],
    ['an offset', [range('08:00', '18:00')], '+01:00', 'timeZone'],
    ['an empty zone', [range('08:00', '18:00')], '', 'timeZone'],
    ['a path', [range('08:00', '18:00')], '../../etc/passwd', 'timeZone'],
  ])('%s is refused', (_, ranges, zone, field) => {
    expect(() => checkedHours(ranges, zone)).toThrow(expect.objectContaining({ type: 'InvalidInput', fields: { field } }));
  });

  test('in words', () => {
    expect(hoursInWords(berlin(range('08:00', '18:00', ['MON', 'TUE'])))).toBe('MON TUE 08:00–18:00 (Europe/Berlin)');
  });
});
