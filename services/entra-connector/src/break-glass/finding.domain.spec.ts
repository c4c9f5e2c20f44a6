import { expect, test } from '@jest/globals';
import type { DirectoryUser } from '../graph/users.port.ts';
import { findingOf, type Known } from './finding.domain.ts';

const user: DirectoryUser = {
  ...{ id: '11111111-1111-4111-8111-111111111111', userPrincipalName: 'bg@contoso.example', displayName: 'Emergency', email: null },
  ...{ enabled: true, marker: null, userType: 'MEMBER', createdAt: new Date(0), lastPasswordChangeAt: new Date(0) },
  ...{ sessionsValidFrom: null, onPremisesSync: false, deletedAt: null },
};
const known: Known = {
  entraTenantId: '22222222-2222-4222-8222-222222222222',
  ...{ user, roles: [], definitions: [], groups: [], isOurs: false, hasGrants: false, isRegistered: false, registered: 1 },
  domains: [{ name: 'contoso.example', managed: true, initial: false, default: true }],
};

test.each<[string, Partial<Known>, RegExp[]]>([
  ['nothing', {}, []],
  ['disabled, which is shown', { user: { ...user, enabled: false } }, []],
  ['registered', { isRegistered: true }, [/already/]],
  ['a third', { registered: 2 }, [/has 2/]],
  ['synchronized', { user: { ...user, onPremisesSync: true } }, [/on-premises/]],
  ['federated', { domains: [{ name: 'Contoso.example', managed: false, initial: false, default: true }] }, [/federated/]],
  ['a guest', { user: { ...user, userType: 'GUEST' } }, [/guest/]],
  ['ours', { isOurs: true }, [/Stint made it/]],
  ['under a grant', { hasGrants: true }, [/grant/]],
])('what stands in the way of an account: %s', (_, change, expected) => {
  const { obstacles } = findingOf({ ...known, ...change });
  expect(obstacles).toEqual(expected.map((words) => expect.stringMatching(words)));
});

test('the digest is of all that is shown', () => {
  const digests = [
    known,
    { ...known, user: { ...user, enabled: false } },
    { ...known, groups: [{ id: 'g', displayName: 'Excluded', description: null }] },
    { ...known, roles: [{ id: 'r', principalId: user.id, roleDefinitionId: 'd', scope: '/', kind: 'DIRECT' as const, endsAt: null }] },
    { ...known, user: { ...user, lastPasswordChangeAt: new Date(1) } },
    { ...known, entraTenantId: '33333333-3333-4333-8333-333333333333' },
  ].map((one) => findingOf(one).digest);
  expect(new Set(digests).size).toBe(digests.length);
});
