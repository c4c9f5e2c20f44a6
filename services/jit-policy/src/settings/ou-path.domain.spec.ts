import { describe, expect, test } from '@jest/globals';
import { escapeRdnValue, ouDistinguishedName, readOuPath } from './ou-path.domain.ts';

describe('an OU path', () => {
  test.each<[string, string, string]>([
    ['the built-in container', '<domain>/Users', 'CN=Users,DC=corp,DC=example,DC=com'],
    ['the same in another case', '<domain>/USERS', 'CN=Users,DC=corp,DC=example,DC=com'],
    ['one OU', '<domain>/JIT', 'OU=JIT,DC=corp,DC=example,DC=com'],
    ['nested', '<domain>/JIT accounts/MSP', 'OU=MSP,OU=JIT accounts,DC=corp,DC=example,DC=com'],
    ['Users further down is an OU', '<domain>/Staff/Users', 'OU=Users,OU=Staff,DC=corp,DC=example,DC=com'],
    ['Users as a part of a name', '<domain>/Users2', 'OU=Users2,DC=corp,DC=example,DC=com'],
    ['a comma and another OU', '<domain>/x,OU=Domain Controllers', 'OU=x\\,OU\\=Domain Controllers,DC=corp,DC=example,DC=com'],
    ['a plus', '<domain>/R+D', 'OU=R\\+D,DC=corp,DC=example,DC=com'],
    ['quotes, angles, semicolon', '<domain>/"a";<b>', 'OU=\\"a\\"\\;\\<b\\>,DC=corp,DC=example,DC=com'],
    ['a backslash', '<domain>/a\\,b', 'OU=a\\\\\\,b,DC=corp,DC=example,DC=com'],
    ['a hash first', '<domain>/#04', 'OU=\\#04,DC=corp,DC=example,DC=com'],
    ['a hash inside', '<domain>/a#1', 'OU=a#1,DC=corp,DC=example,DC=com'],
    ['a filter', '<domain>/*)(objectClass=*', 'OU=*)(objectClass\\=*,DC=corp,DC=example,DC=com'],
    ['accents, decomposed: kept composed', '<domain>/Bu\u0308ro', 'OU=B\u00fcro,DC=corp,DC=example,DC=com'],
    ['another script', '<domain>/管理/Админы', 'OU=Админы,OU=管理,DC=corp,DC=example,DC=com'],
    ['64 characters', `<domain>/${'a'.repeat(64)}`, `OU=${'a'.repeat(64)},DC=corp,DC=example,DC=com`],
    [
      'ten levels',
      `<domain>/${Array.from({ length: 10 }, (_, at) => at).join('/')}`,
      'OU=9,OU=8,OU=7,OU=6,OU=5,OU=4,OU=3,OU=2,OU=1,OU=0,DC=corp,DC=example,DC=com',
    ],
  ])('%s', (_, path, name) => {
    expect(ouDistinguishedName(path, 'corp.example.com')).toBe(name);
  });

  test.each<[string, string, RegExp]>([
    ['nothing', '', /begin with <domain>/],
    ['no domain', 'JIT', /begin with <domain>/],
    ['the domain alone', '<domain>', /begin with <domain>/],
    ['the domain and a slash', '<domain>/', /no empty level/],
    ['a slash alone', '/', /begin with <domain>/],
    ['a domain by name', 'corp.example.com/JIT', /begin with <domain>/],
    ['a distinguished name', 'OU=JIT,DC=corp', /begin with <domain>/],
    ['another case of the mark', '<Domain>/JIT', /begin with <domain>/],
    ['a blank before', ' <domain>/JIT', /begin with <domain>/],
    ['an empty level', '<domain>/a//b', /no empty level/],
    ['a slash at the end', '<domain>/a/', /no empty level/],
    ['up', '<domain>/../Users', /\. or \.\./],
    ['here', '<domain>/./a', /\. or \.\./],
    ['below Users', '<domain>/Users/JIT', /below Users/],
    ['below users', '<domain>/uSeRs/JIT', /below Users/],
    ['below Users, full-width', '<domain>/\uff35\uff53\uff45\uff52\uff53/JIT', /below Users/],
    ['below Users with an accent, which the domain ignores', '<domain>/\u00dcsers/JIT', /below Users/],
    ['below Users with an accent, decomposed', '<domain>/U\u0308sers/JIT', /below Users/],
    ['below Users with a long s', '<domain>/U\u017fers/JIT', /below Users/],
    ['Users, full-width', '<domain>/\uff35sers', /plainly/],
    ['below CN=Users', '<domain>/CN=Users/JIT', /names only/],
    ['CN=Users', '<domain>/CN=Users', /names only/],
    ['cn = Users', '<domain>/cn = Users', /names only/],
    ['full-width CN=', '<domain>/\uff23\uff2e\uff1dUsers/JIT', /names only/],
    ['OU= typed', '<domain>/OU=JIT', /names only/],
    ['below Users with a blank', '<domain>/Users /JIT', /blanks/],
    ['below Users with a no-break space', '<domain>/Users\u00a0/JIT', /invisible/],
    ['below Users with a zero-width space', '<domain>/Us\u200bers/JIT', /invisible/],
    ['below Users with a soft hyphen', '<domain>/Us\u00aders/JIT', /invisible/],
    ['below Users with a filler', '<domain>/Users\u3164/JIT', /invisible/],
    ['below Users with Cyrillic letters', '<domain>/U\u0455ers/JIT', /mix Latin/],
    ['Domain Controllers', '<domain>/Domain Controllers', /Domain Controllers/],
    ['below domain controllers', '<domain>/domain  CONTROLLERS/JIT', /Domain Controllers/],
    ['Domain Controllers further down', '<domain>/JIT/Domain Controllers', /Domain Controllers/],
    ['Builtin', '<domain>/Builtin', /of Active Directory itself/],
    ['System', '<domain>/System/Policies', /of Active Directory itself/],
    ['65 characters', `<domain>/${'a'.repeat(65)}`, /64 characters/],
    ['eleven levels', `<domain>${'/a'.repeat(11)}`, /10 levels/],
    ['a hundred levels', `<domain>${'/a'.repeat(100)}`, /10 levels/],
    ['NUL', '<domain>/a\0b', /invisible/],
    ['a line break', '<domain>/a\nb', /invisible/],
    ['right to left', '<domain>/\u202eTIJ', /invisible/],
    ['half a pair', '<domain>/a\ud800', /invisible/],
    ['a blank at the end', '<domain>/JIT ', /blanks/],
    ['a blank at the beginning', '<domain>/ JIT', /blanks/],
  ])('%s is refused', (_, path, words) => {
    expect(readOuPath(path)).toEqual({ fault: expect.stringMatching(words) });
    expect(() => ouDistinguishedName(path, 'corp.example.com')).toThrow(RangeError);
  });
});

test.each([
  [' a ', '\\ a\\ '],
  [' ', '\\ '],
  ['  ', '\\ \\ '],
  ['#', '\\#'],
  ['a\0b', 'a\\00b'],
  ['', ''],
])('the value %j is escaped as %j', (value, escaped) => expect(escapeRdnValue(value)).toBe(escaped));
