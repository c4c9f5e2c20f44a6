import { isId } from '@stint/kernel';

const markPrefix = 'stint-laps=';

/** The comment (GECOS) of a break-glass account: what is there stays, the mark is its fifth sub-field, which only root may change. */
export function withLapsMark(gecos: string, accountId: string): string {
  const [name = '', room = '', work = '', home = ''] = gecos.split(',');
  return [name, room, work, home, `${markPrefix}${accountId}`].join(',');
}

/** The id of the break-glass account in a comment, or null when there is no mark. */
export function lapsMarkedId(gecos: string): string | null {
  const mark = gecos.split(',')[4];
  const id = mark?.startsWith(markPrefix) ? mark.slice(markPrefix.length) : null;
  return isId(id) ? id : null;
}
