import { invalidInput } from '@stint/kernel';

export const weekdays = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;
export type Weekday = (typeof weekdays)[number];

/**
 * Hours of the wall clock on some days. `to` is not in it any more; `24:00` is the end of the day. A `to` that is not
 * after `from` lies on the next day: FRI 22:00–06:00 ends on Saturday at six.
 */
export interface HourRange {
  days: Weekday[];
  from: string;
  to: string;
}

/** When a rule counts; no ranges means always, and then there is no time zone. */
export interface Hours {
  ranges: HourRange[];
  /** IANA name such as `Europe/Berlin`. */
  timeZone: string | null;
}

const maxRanges = 10;
const time = /^([01]\d|2[0-3]):[0-5]\d$/;

/** Checks what somebody typed; Problem `InvalidInput`. Days come back once each and in the order of the week. */
export function checkedHours(ranges: readonly { days: readonly Weekday[]; from: string; to: string }[], timeZone: string | null): Hours {
  if (ranges.length === 0) {
    if (timeZone !== null) throw invalidInput('timeZone', 'timeZone only goes with hours. Leave it out, or say which hours.');
    return { ranges: [], timeZone: null };
  }
  if (ranges.length > maxRanges) throw invalidInput('hours', `hours can have at most ${maxRanges} entries.`);
  const checked = ranges.map(({ days, from, to }, index): HourRange => {
    const field = (name: string) => `hours.${index}.${name}`;
    if (days.length === 0) throw invalidInput(field('days'), 'days must name at least one day.');
    if (!time.test(from)) throw invalidInput(field('from'), 'from must be a time of the day such as 08:00, from 00:00 to 23:59.');
    if (!time.test(to) && to !== '24:00') throw invalidInput(field('to'), 'to must be a time of the day such as 18:00, up to 24:00.');
    if (from === to) throw invalidInput(field('to'), 'to must differ from from. A whole day is 00:00 to 24:00.');
    return { days: weekdays.filter((day) => days.includes(day)), from, to };
  });
  if (timeZone === null) throw invalidInput('timeZone', 'timeZone must say by which clock the hours are meant, for example Europe/Berlin.');
  return { ranges: checked, timeZone: knownTimeZone(timeZone) };
}

/** Does the rule count at `at`? By the wall clock of its time zone: an hour that comes twice counts twice, one that is skipped never comes. */
export function isWithin({ ranges, timeZone }: Hours, at: Date): boolean {
  if (ranges.length === 0) return true;
  const { day, minute } = wallClock(at, timeZone ?? 'UTC');
  const today = weekdays[day];
  const yesterday = weekdays[(day + 6) % 7];
  return ranges.some((range) => {
    const from = minutes(range.from);
    const to = minutes(range.to);
    const includes = (one: Weekday | undefined) => one !== undefined && range.days.includes(one);
    if (from < to) return includes(today) && minute >= from && minute < to;
    return (includes(today) && minute >= from) || (includes(yesterday) && minute < to);
  });
}

/** The hours in words, for people. */
export function hoursInWords({ ranges, timeZone }: Hours): string {
  if (ranges.length === 0) return 'always';
  return `${ranges.map(({ days, from, to }) => `${days.join(' ')} ${from}–${to}`).join(', ')} (${timeZone ?? 'UTC'})`;
}

function knownTimeZone(name: string): string {
  // Intl also takes offsets such as +01:00, which know no daylight saving.
  if (/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) {
    try {
      return new Intl.DateTimeFormat('en-GB', { timeZone: name }).resolvedOptions().timeZone;
    } catch {
      // Falls through: not a zone that this system knows.
    }
  }
  throw invalidInput('timeZone', 'timeZone must be an IANA time zone such as Europe/Berlin or America/New_York.');
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Day of the week (0 is Monday) and minute of the day at `at` by the clocks of the zone. */
function wallClock(at: Date, timeZone: string): { day: number; minute: number } {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    clocks.set(timeZone, clock);
  }
  const parts = new Map(clock.formatToParts(at).map(({ type, value }) => [type, value]));
  const day = weekdays.findIndex((name) => name === parts.get('weekday')?.toUpperCase());
  return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
}

function minutes(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
}
