import { describe, expect, test } from '@jest/globals';
import { domainOfSamba, domainOfSssd } from './joined-domain.ts';

describe('the AD domain that SSSD knows', () => {
  test.each<[string, string, string | null]>([
    [
      'joined by realmd',
      '[sssd]\ndomains = corp.example.com\nservices = nss, pam\n[domain/corp.example.com]\nid_provider = ad\n',
      'corp.example.com',
    ],
    ['under another name', '[sssd]\ndomains = work\n[domain/work]\nid_provider=ad\nad_domain = CORP.Example.com\n', 'corp.example.com'],
    [
      'the first that is AD',
      '[sssd]\ndomains = local, corp.example.com\n[domain/local]\nid_provider = files\n[domain/corp.example.com]\nid_provider = ad\n',
      'corp.example.com',
    ],
    ['LDAP is not AD', '[sssd]\ndomains = x.example\n[domain/x.example]\nid_provider = ldap\n', null],
    ['not active', '[sssd]\ndomains =\n[domain/corp.example.com]\nid_provider = ad\n', null],
    ['commented out', '[sssd]\n# domains = corp.example.com\n[domain/corp.example.com]\nid_provider = ad\n', null],
    ['no name of a domain', '[sssd]\ndomains = work\n[domain/work]\nid_provider = ad\n', null],
    ['nothing', '', null],
  ])('%s', (_, text, expected) => {
    expect(domainOfSssd(text)).toBe(expected);
  });
});

describe('the AD domain that Samba knows', () => {
  test.each<[string, string, string | null]>([
    ['a member', '[global]\n  security = ADS\n  realm = CORP.EXAMPLE.COM\n  workgroup = CORP\n', 'corp.example.com'],
    [
      'a domain controller',
      '[global]\n\trealm = CORP.EXAMPLE.TEST\n\tserver role = active directory domain controller\n[sysvol]\n\tpath = /x\n',
      'corp.example.test',
    ],
    ['a file server of its own', '[global]\n  security = user\n  realm = CORP.EXAMPLE.COM\n', null],
    ['nothing', '', null],
  ])('%s', (_, text, expected) => {
    expect(domainOfSamba(text)).toBe(expected);
  });
});
