import { isId } from '@stint/kernel';
import { AccountError } from './account-driver.ts';

const nameRule = /^[a-z_][a-z0-9_-]{0,31}$/;
const maxLength = 32;

/** Checks a Linux account name: a lower-case letter or `_`, then letters, digits, `-`, `_`; at most 32 characters. */
export function checkedName(name: string): string {
  if (!nameRule.test(name))
    throw new AccountError(
      `"${printable(name)}" cannot be an account name on Linux: a-z or _ first, then a-z, 0-9, - and _, at most ${maxLength} characters.`,
    );
  return name;
}

/** The nth name to try: as wanted, then with -2, -3, …, cut so that it stays within 32 characters. */
export function candidateName(wanted: string, attempt: number): string {
  const suffix = attempt === 1 ? '' : `-${attempt}`;
  return `${checkedName(wanted).slice(0, maxLength - suffix.length)}${suffix}`;
}

const markPrefix = 'stint=';

/**
 * The comment (GECOS) of an account of ours. The mark is the fifth sub-field, the only one that chfn lets nobody but
 * root change; shadow's tools refuse `:` anywhere.
 */
export function comment(displayName: string, accountId: string): string {
  const readable = displayName
    .normalize('NFC')
    .replace(/[\p{C}\p{Zl}\p{Zp}:,=&"\\]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 60);
  return `${readable || 'Stint'},,,,${markPrefix}${accountId}`;
}

/** The account id in a comment, or null when the account is not ours. A mark with what is no id is none: whoever has rights can write one. */
export function markedId(gecos: string): string | null {
  const mark = gecos.split(',')[4];
  const id = mark?.startsWith(markPrefix) ? mark.slice(markPrefix.length) : null;
  return isId(id) ? id : null;
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 64);
}
