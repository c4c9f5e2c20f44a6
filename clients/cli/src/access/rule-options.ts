import { InvalidArgumentError } from 'commander';
import type { AccessHoursInput } from '../generated/operations.ts';

const days = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;
const time = '([01]\\d|2[0-4]):([0-5]\\d)';
const pattern = new RegExp(`^([a-z,-]+) (${time})-(${time})$`, 'i');

/** Hours as people write them: `mon-fri 08:00-18:00`, `sat,sun 10:00-14:00`. A repeated option collects them. */
export function hours(text: string, before: readonly AccessHoursInput[] | undefined): AccessHoursInput[] {
  const found = pattern.exec(text.trim());
  const chosen = found === null ? null : weekdays(found[1] ?? '');
  if (found === null || chosen === null)
    throw new InvalidArgumentError('It must look like "mon-fri 08:00-18:00" or "sat,sun 10:00-14:00".');
  return [...(before ?? []), { days: chosen, from: found[2] ?? '', to: found[5] ?? '' }];
}

/** Hours for people, `mon-fri 08:00-18:00`. */
export function hoursText({ days: chosen, from, to }: AccessHoursInput): string {
  const [first, last] = [days.indexOf(chosen[0] ?? 'MON'), days.indexOf(chosen.at(-1) ?? 'SUN')];
  const inOneRow = chosen.length > 2 && chosen.length === last - first + 1;
  const names = inOneRow ? `${chosen[0]}-${chosen.at(-1)}` : chosen.join(',');
  return `${names.toLowerCase()} ${from}-${to}`;
}

function weekdays(text: string): AccessHoursInput['days'] | null {
  const chosen = new Set<(typeof days)[number]>();
  for (const part of text.toUpperCase().split(',')) {
    const [from = '', to = from, ...rest] = part.split('-');
    const [first, last] = [days.findIndex((day) => day === from), days.findIndex((day) => day === to)];
    if (first < 0 || last < first || rest.length > 0) return null;
    for (const day of days.slice(first, last + 1)) chosen.add(day);
  }
  return days.filter((day) => chosen.has(day));
}
