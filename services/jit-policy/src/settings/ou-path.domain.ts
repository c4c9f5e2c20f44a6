/** What every OU path begins with: stands for whichever domain of the tenant the account is made in. */
export const domainMark = '<domain>';
const maxLevels = 10;
const maxSegmentLength = 64;

/** The built-in container, which is not an OU and takes no OU below it ([MS-ADTS] 6.1.1.4). */
const users = 'users';
/** Names below the domain that Active Directory keeps for itself, folded. */
const builtIn = new Set([
  ...['builtin', 'computers', 'domain controllers', 'foreignsecurityprincipals', 'infrastructure', 'keys', 'lostandfound'],
  ...['managed service accounts', 'microsoft exchange system objects', 'ntds quotas', 'program data', 'system', 'tpm devices'],
]);

// Anything that cannot be seen or turns a line around: controls, formats, surrogates, fillers (U+3164, U+2800, soft hyphen, …), and every blank but the plain space.
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u;
const mixedScripts = /^(?=.*\p{Script=Latin})(?=.*[\p{Script=Cyrillic}\p{Script=Greek}])/u;

/** An OU path as it is kept (Unicode NFC), or in words why it is none. */
export type OuPath = { path: string } | { fault: string };

/** Reads a path such as `<domain>/JIT accounts/MSP`. `<domain>/Users` is the built-in container; nothing may be below it. */
export function readOuPath(text: string): OuPath {
  const path = text.normalize('NFC');
  const [mark, ...segments] = path.split('/');
  if (mark !== domainMark || segments.length === 0)
    return { fault: `must begin with ${domainMark}/, for example ${domainMark}/JIT accounts` };
  if (segments.length > maxLevels) return { fault: `must have at most ${maxLevels} levels` };
  for (const segment of segments) {
    const fault = segmentFault(segment);
    if (fault !== null) return { fault };
  }
  const [first = '', ...below] = segments;
  const folded = fold(first);
  if (folded === users && below.length > 0) {
    return {
      fault: `must not lead below Users, which is a container and takes no OUs: use ${domainMark}/Users itself, or an OU beside it`,
    };
  }
  if (segments.some((segment) => fold(segment) === 'domain controllers') || builtIn.has(folded)) {
    return { fault: 'must not lead into a container of Active Directory itself, such as Domain Controllers: name an OU of your own' };
  }
  // Whatever only looks like Users is not the container.
  if (folded === users && !/^users$/i.test(first)) return { fault: `must write ${domainMark}/Users plainly` };
  return { path: folded === users ? `${domainMark}/Users` : path };
}

/**
 * The distinguished name (RFC 4514) of an OU path in a domain, for example `OU=MSP,OU=JIT accounts,DC=corp,DC=example,DC=com`.
 * Throws a RangeError for a path that `readOuPath` refuses.
 */
export function ouDistinguishedName(path: string, domainDnsName: string): string {
  const read = readOuPath(path);
  if ('fault' in read) throw new RangeError(`An OU path ${read.fault}.`);
  const components = domainDnsName.split('.').map((label) => `DC=${escapeRdnValue(label)}`);
  if (read.path === `${domainMark}/Users`) return ['CN=Users', ...components].join(',');
  const units = read.path.split('/').slice(1).reverse();
  return [...units.map((name) => `OU=${escapeRdnValue(name)}`), ...components].join(',');
}

/** A value in a relative distinguished name: every character with a meaning there is escaped (RFC 4514 §2.4). */
export function escapeRdnValue(value: string): string {
  return value.replaceAll(/["+,;<>\\=]|^[ #]| $/g, '\\$&').replaceAll('\0', '\\00');
}

function segmentFault(segment: string): string | null {
  if (segment === '') return 'must have no empty level';
  if (segment === '.' || segment === '..') return 'must not have . or .. as a level';
  if (segment.length > maxSegmentLength) return `must have at most ${maxSegmentLength} characters in each level`;
  if (invisible.test(segment)) return 'must not contain control or invisible characters';
  if (segment !== segment.trim()) return 'must have no blanks at the beginning or end of a level';
  if (/^(cn|ou|dc)\s*=/i.test(segment.normalize('NFKC')))
    return `must be written by names only, for example ${domainMark}/JIT accounts, without OU= or CN=`;
  if (mixedScripts.test(segment)) return 'must not mix Latin with Greek or Cyrillic letters in one level';
  return null;
}

/** As Active Directory compares names: without case, accents and width. */
function fold(name: string): string {
  return name.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll(/\s+/g, ' ').trim();
}
