import { expect, test } from '@jest/globals';
import { addSeconds } from '@stint/kernel';
import {
  begun,
  changeable,
  checkedRegistration,
  turn,
  verified,
  whyUnusable,
  type ConnectionState,
  type EntraConnection,
} from './connection.domain.ts';
import type { ConnectionProblem, ProblemCode } from './finding.domain.ts';

const now = new Date('2026-11-23T12:00:00Z');
const registration = {
  entraTenantId: '0b1f4c3e-1111-4222-8333-444455556666',
  cloud: 'GLOBAL',
  clientId: '5f0c2a31-2f0e-4f5e-9f57-7d1a4cf1a111',
} as const;

function aConnection(change: Partial<EntraConnection> = {}): EntraConnection {
  return {
    ...{ mspId: 'm', tenantId: 't', state: 'READY', ...registration, consentedAt: null, problems: [], facts: null },
    ...{ verifiedAt: null, verifyDueAt: null, version: 7, ...change },
  };
}
const problem = (code: ProblemCode, blocking: boolean): ConnectionProblem => ({
  code,
  blocking,
  message: `${code}.`,
  nextStep: '',
  about: null,
});
const blocking = [problem('SECRET_WRONG', true), problem('PERMISSION_NEEDLESS', false)];
const harmless = [problem('PERMISSION_NEEDLESS', false)];
const unreachable = [problem('UNREACHABLE', false)];

test.each<[ConnectionState, string, ConnectionProblem[], ConnectionState, number]>([
  ['SETUP', 'works', [], 'READY', 21_600],
  ['SETUP', 'lacks what does no harm', harmless, 'READY', 21_600],
  ['SETUP', 'lacks what it needs', blocking, 'SETUP', 900],
  ['SETUP', 'could not be asked', unreachable, 'SETUP', 300],
  ['READY', 'works', [], 'READY', 21_600],
  ['READY', 'lacks what it needs', blocking, 'BROKEN', 900],
  ['READY', 'could not be asked', unreachable, 'READY', 300],
  ['READY', 'could be asked in part, and lacks what it needs', [...blocking, ...unreachable], 'BROKEN', 300],
  ['BROKEN', 'works', [], 'READY', 21_600],
  ['BROKEN', 'lacks what it needs', blocking, 'BROKEN', 900],
  ['BROKEN', 'could not be asked', unreachable, 'BROKEN', 300],
  ['DISCONNECTING', 'works', [], 'DISCONNECTING', 21_600],
  ['DISCONNECTING', 'lacks what it needs', blocking, 'DISCONNECTING', 900],
])('a connection in %s that %s', (state, _what, problems, after, dueInSeconds) => {
  const result = verified(aConnection({ state }), { problems, facts: null }, now, 0.5);
  expect(result).toMatchObject({ state: after, problems, version: 8, verifyDueAt: addSeconds(now, dueInSeconds) });
});

test('verifications are spread by a tenth', () => {
  const due = (chance: number) => verified(aConnection(), { problems: [], facts: null }, now, chance).verifyDueAt;
  expect([due(0), due(1)]).toEqual([addSeconds(now, 21_600 * 0.9), addSeconds(now, 21_600 * 1.1)]);
});

test.each<[ConnectionState, ConnectionState, 'broken' | 'recovered' | null]>([
  ['READY', 'BROKEN', 'broken'],
  ['BROKEN', 'READY', 'recovered'],
  ['SETUP', 'READY', null],
  ['READY', 'READY', null],
  ['BROKEN', 'BROKEN', null],
  ['READY', 'DISCONNECTING', null],
])('from %s to %s', (before, after, told) => expect(turn(before, after)).toBe(told));

test.each<[ConnectionState, string | null]>([
  ['READY', null],
  ['SETUP', 'The connection to Entra ID is not set up completely.'],
  ['BROKEN', 'The connection to Entra ID does not work. SECRET_WRONG.'],
  ['DISCONNECTING', 'This tenant is not connected to Entra ID (any more).'],
  ['DISCONNECTED', 'This tenant is not connected to Entra ID (any more).'],
])('%s in words', (state, words) => expect(whyUnusable(aConnection({ state, problems: blocking }))).toBe(words));

test.each<[ConnectionState | null, boolean]>([
  [null, true],
  ['SETUP', true],
  ['DISCONNECTED', true],
  ['READY', false],
  ['BROKEN', false],
  ['DISCONNECTING', false],
])('beginning after %s', (state, allowed) => {
  const begin = () => begun({ mspId: 'm', tenantId: 't' }, registration, state === null ? null : aConnection({ state }));
  if (!allowed) return expect(begin).toThrow('disconnect it first');
  return expect(begin()).toMatchObject({ state: 'SETUP', version: state === null ? 1 : 8 });
});

test.each<[ConnectionState, boolean]>([
  ['SETUP', true],
  ['READY', true],
  ['BROKEN', true],
  ['DISCONNECTING', false],
  ['DISCONNECTED', false],
])('changing one in %s', (state, allowed) => {
  const change = () => changeable(aConnection({ state }));
  if (!allowed) return expect(change).toThrow('being ended');
  return expect(change().state).toBe(state);
});

test.each([
  ['common', registration.clientId, 'entraTenantId'],
  ['organizations', registration.clientId, 'entraTenantId'],
  ['contoso.onmicrosoft.com', registration.clientId, 'entraTenantId'],
  [`${registration.entraTenantId}/..`, registration.clientId, 'entraTenantId'],
  [registration.entraTenantId, 'Stint', 'clientId'],
])('ids %s and %s are refused at %s', (entraTenantId, clientId, field) => {
  expect(() => checkedRegistration({ entraTenantId, clientId, cloud: 'GLOBAL' })).toThrow(
    expect.objectContaining({ type: 'InvalidInput', fields: { field } }),
  );
});

test('ids have one spelling', () => {
  const given = { ...registration, entraTenantId: ` ${registration.entraTenantId.toUpperCase()} ` };
  expect(checkedRegistration(given)).toEqual(registration);
});
