import { describe, expect, test } from '@jest/globals';
import { domainLoginFacts, loginObstacle, offeredKinds, type DomainLoginFacts } from './domain-login.domain.ts';

const domain = 'corp.example.com';
const able = [{ domain, makesAccounts: true }];
const unable = [{ domain, makesAccounts: false }];
const elsewhere = [{ domain: 'lab.example.com', makesAccounts: true }];
const facts = (change: Partial<DomainLoginFacts>): DomainLoginFacts => ({
  ...{ mode: 'LOCAL', domain, adminGroups: ['Workstation Admins'], controllers: able },
  ...change,
});

describe('which accounts a login may be for', () => {
  test.each<[string, Partial<DomainLoginFacts>, string[], RegExp | null, RegExp | null]>([
    ['LOCAL', {}, ['LOCAL'], null, /domainLoginMode is LOCAL/],
    ['LOCAL without any agent', { controllers: [] }, ['LOCAL'], null, /domainLoginMode is LOCAL/],
    ['DOMAIN', { mode: 'DOMAIN' }, ['DOMAIN'], /domainLoginMode is DOMAIN/, null],
    ['PROMPT', { mode: 'PROMPT' }, ['LOCAL', 'DOMAIN'], null, null],
    ['DOMAIN outside of a domain', { mode: 'DOMAIN', domain: null }, ['LOCAL'], null, /not in a domain/],
    ['PROMPT outside of a domain', { mode: 'PROMPT', domain: null }, ['LOCAL'], null, /not in a domain/],
    [
      'DOMAIN, the agent went away',
      { mode: 'DOMAIN', controllers: [] },
      [],
      /is DOMAIN/,
      /No agent on a domain controller of corp\.example\.com/,
    ],
    ['PROMPT, the agent went away', { mode: 'PROMPT', controllers: [] }, ['LOCAL'], null, /No agent on a domain controller of corp/],
    [
      'DOMAIN, an agent of another domain',
      { mode: 'DOMAIN', controllers: elsewhere },
      [],
      /is DOMAIN/,
      /No agent on .* corp\.example\.com/,
    ],
    ['DOMAIN, no group named', { mode: 'DOMAIN', adminGroups: [] }, [], /is DOMAIN/, /domainAdminGroups/],
    ['PROMPT, no group named', { mode: 'PROMPT', adminGroups: [] }, ['LOCAL'], null, /domainAdminGroups/],
    ['DOMAIN, an agent that cannot', { mode: 'DOMAIN', controllers: unable }, [], /is DOMAIN/, /cannot make domain accounts yet/],
    ['PROMPT, an agent that cannot', { mode: 'PROMPT', controllers: unable }, ['LOCAL'], null, /cannot make domain accounts yet/],
    ['PROMPT, one of two agents can', { mode: 'PROMPT', controllers: [...unable, ...able] }, ['LOCAL', 'DOMAIN'], null, null],
  ])('%s', (_, change, offered, whyNotLocal, whyNotDomain) => {
    const kinds = domainLoginFacts(facts(change));
    expect(offeredKinds(kinds)).toEqual(offered);
    const why = (kind: 'LOCAL' | 'DOMAIN') => (kinds[kind].possible ? null : kinds[kind].why);
    const words = (expected: RegExp | null) => (expected === null ? null : expect.stringMatching(expected));
    expect([why('LOCAL'), why('DOMAIN')]).toEqual([words(whyNotLocal), words(whyNotDomain)]);
    expect(loginObstacle(kinds)).toEqual(offered.length > 0 ? null : words(whyNotDomain));
  });
});
