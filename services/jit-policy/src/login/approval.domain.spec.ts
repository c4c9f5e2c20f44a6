import { describe, expect, test } from '@jest/globals';
import type { AccountKind } from '@stint/contracts';
import { mayStillArrive } from '@stint/tenancy';
import { newId } from '@stint/kernel';
import { holds, type TechnicianCopy } from '../directory/directory.domain.ts';
import { approvalContent, assertDemandsMet, checkedChoice, totpObstacle, withAccountKind, type Choice } from './approval.domain.ts';
import { startedLogin, type LoginRequest } from './login.domain.ts';

describe('what an approver chose', () => {
  test.each([
    [{}, { accountKind: null, sessionSeconds: null, reason: null, ticket: null }],
    [
      { reason: null, ticket: null, sessionSeconds: null },
      { accountKind: null, sessionSeconds: null, reason: null, ticket: null },
    ],
    [
      { reason: '  Printer ', ticket: 'T-1', sessionSeconds: 60 },
      { accountKind: null, sessionSeconds: 60, reason: 'Printer', ticket: 'T-1' },
    ],
    [{ reason: 'Zoe\u0308' }, { accountKind: null, sessionSeconds: null, reason: 'Zoë', ticket: null }],
  ])('%j', (input, expected) => {
    expect(checkedChoice(input)).toEqual(expected);
  });

  test.each([
    [{ sessionSeconds: 59 }, 'sessionSeconds'],
    [{ sessionSeconds: 28_801 }, 'sessionSeconds'],
    [{ sessionSeconds: 0 }, 'sessionSeconds'],
    [{ reason: ' ' }, 'reason'],
    [{ reason: 'x'.repeat(501) }, 'reason'],
    [{ reason: 'a\u202eb' }, 'reason'],
    [{ ticket: 'x'.repeat(101) }, 'ticket'],
    [{ ticket: 'a\u0000' }, 'ticket'],
  ])('%j is refused', (input, field) => {
    expect(() => checkedChoice(input)).toThrow(expect.objectContaining({ type: 'InvalidInput', fields: { field } }));
  });

  const offered = { accountKinds: ['LOCAL' as const], accountKind: 'LOCAL' as const, domainObstacle: 'No agent is there.' };

  test('the signed content is the row and the choice', () => {
    const about = {
      mspId: newId(),
      tenantId: newId(),
      id: newId(),
      deviceId: newId(),
      method: 'QR' as const,
      codeHash: null,
      shownNumber: '07',
    };
    const request = startedLogin(
      { ...about, ...offered, hostName: 'ws-07', tenantName: 'Contoso', sessionSeconds: 3600 },
      new Date('2026-11-23T12:00:00Z'),
    );
    expect(approvalContent('login', request, 'anna', { sessionSeconds: 600, reason: 'Printer', ticket: null })).toEqual({
      purpose: 'login',
      technicianId: 'anna',
      loginRequestId: request.id,
      tenantId: request.tenantId,
      tenantName: 'Contoso',
      deviceId: request.deviceId,
      hostName: 'ws-07',
      accountKind: 'LOCAL',
      shownNumber: '07',
      durationSeconds: 600,
      reason: 'Printer',
      ticket: null,
    });
  });
});

describe('the kind of account', () => {
  const login = (...accountKinds: AccountKind[]) =>
    ({ accountKinds, accountKind: accountKinds[0], domainObstacle: 'No agent is there.' }) as unknown as LoginRequest;

  test.each<[string, LoginRequest, AccountKind | null, AccountKind]>([
    ['the usual one, nothing chosen', login('LOCAL', 'DOMAIN'), null, 'LOCAL'],
    ['the other one', login('LOCAL', 'DOMAIN'), 'DOMAIN', 'DOMAIN'],
    ['the only one', login('DOMAIN'), null, 'DOMAIN'],
  ])('%s', (_, request, chosen, expected) => {
    expect(withAccountKind(request, chosen).accountKind).toBe(expected);
  });

  test('one that is not offered is refused, with the reason', () => {
    expect(() => withAccountKind(login('LOCAL'), 'DOMAIN')).toThrow('No agent is there.');
    expect(() => withAccountKind(login('DOMAIN'), 'LOCAL')).toThrow(expect.objectContaining({ fields: { field: 'accountKind' } }));
  });
});

describe('what a rule demands', () => {
  const demands = { ruleName: 'Servers', requireReason: false, requireTicket: false, maxSeconds: 3600 };
  const choice = { accountKind: null, sessionSeconds: null, reason: null, ticket: null };
  test.each<[string, Partial<typeof demands>, Partial<Choice>, string | null]>([
    ['nothing', {}, {}, null],
    ['a reason', { requireReason: true }, {}, 'reason'],
    ['a reason, given', { requireReason: true }, { reason: 'Printer' }, null],
    ['a ticket', { requireTicket: true }, { reason: 'Printer' }, 'ticket'],
    ['a ticket, given', { requireTicket: true }, { ticket: 'T-1' }, null],
    ['no more than its longest', {}, { sessionSeconds: 3601 }, 'sessionSeconds'],
    ['its longest', {}, { sessionSeconds: 3600 }, null],
  ])('%s', (_, change, chosen, field) => {
    const check = () => assertDemandsMet({ ...demands, ...change }, { ...choice, ...chosen });
    if (field === null) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ type: 'InvalidInput', fields: { field } }));
  });
});

describe('a right code', () => {
  const decision = { allowed: true, why: '', requireReason: false, requireTicket: false };
  const fine = { request: { method: 'TOTP' as const }, deviceActive: true, decision, totpLogin: true };
  test.each<[string, Partial<Parameters<typeof totpObstacle>[0]>, string | null]>([
    ['approves', {}, null],
    ['revoked computer', { deviceActive: false }, 'revoked'],
    ['unknown technician', { decision: null }, 'may not log in here'],
    ['denied by the rules', { decision: { ...decision, allowed: false, why: 'No access rule allows this.' } }, 'No access rule'],
    ['a login by QR', { request: { method: 'QR' } }, 'QR code'],
    ['switched off meanwhile', { totpLogin: false }, 'switched off'],
    [
      'a reason is demanded',
      { decision: { ...decision, requireReason: true } },
      'needs a reason, which a code cannot give. Use the QR code.',
    ],
    ['both are demanded', { decision: { ...decision, requireReason: true, requireTicket: true } }, 'a reason and a ticket'],
  ])('%s', (_, change, expected) => {
    const obstacle = totpObstacle({ ...fine, ...change });
    if (expected === null) expect(obstacle).toBeNull();
    else expect(obstacle).toContain(expected);
  });
});

describe('a technician with a role', () => {
  const [msp, customer, other] = ['msp', 'customer', 'other'];
  test.each<[string, boolean, TechnicianCopy['assignments'], boolean]>([
    ['technician of the MSP', true, [{ tenantId: msp, role: 'TECHNICIAN' }], true],
    ['administrator of the customer', true, [{ tenantId: customer, role: 'ADMINISTRATOR' }], true],
    ['technician of another customer', true, [{ tenantId: other, role: 'TECHNICIAN' }], false],
    ['auditor', true, [{ tenantId: msp, role: 'AUDITOR' }], false],
    ['helpdesk', true, [{ tenantId: msp, role: 'HELPDESK' }], false],
    ['no role', true, [], false],
    ['switched off', false, [{ tenantId: msp, role: 'ADMINISTRATOR' }], false],
  ])('%s may log in at the customer: %#', (_, active, assignments, expected) => {
    expect(holds({ active, assignments }, 'login.approve', [msp, customer])).toBe(expected);
  });
});

describe('an id that is not known here', () => {
  const at = (ms: number) =>
    `${ms
      .toString(16)
      .padStart(12, '0')
      .replace(/^(.{8})(.{4})$/, '$1-$2')}-7000-8000-000000000000`;
  const now = new Date('2026-11-23T12:00:00Z');
  test.each([
    ['made now', 0, true],
    ['made 5 min 30 s ago', -330_000, true],
    ['older', -330_001, false],
    ['from a clock 5 min ahead', 300_000, true],
    ['from further ahead', 300_001, false],
    ['of the year 1970', -now.getTime(), false],
  ])('%s', (_, offset, expected) => {
    expect(mayStillArrive(at(now.getTime() + offset), now)).toBe(expected);
  });
});
