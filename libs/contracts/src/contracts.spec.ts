import { describe, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import {
  approvalChallenge,
  displayName,
  email,
  hostName,
  messages,
  messagesTo,
  rolePermissions,
  permissions,
  entraScope,
  type ApprovalContent,
  type EntraApprovalContent,
  type LoginApprovalContent,
} from './index.ts';

describe('text that people type', () => {
  test.each([
    ['trims', '  Anna Berg ', 'Anna Berg'],
    ['normalises to NFC', 'Zoe\u0308', 'Zo\u00eb'],
    ['any script', '株式会社', '株式会社'],
  ])('%s', (_, text, expected) => {
    expect(displayName.parse(text)).toBe(expected);
  });

  test.each([
    ['empty', '   '],
    ['too long', 'x'.repeat(101)],
    ['newline', 'a\nb'],
    ['NUL', 'a\u0000b'],
    ['escape sequence', 'a\u001b[31mb'],
    ['right-to-left override', 'a\u202eb'],
    ['zero-width space', 'a\u200bb'],
    ['lone surrogate', 'a\ud800b'],
    ['line separator', 'a\u2028b'],
  ])('refuses %s', (_, text) => {
    expect(displayName.safeParse(text).success).toBe(false);
  });

  test.each([
    [' Anna@Example.COM ', 'anna@example.com'],
    ["o'brien+x@sub.example.co.uk", "o'brien+x@sub.example.co.uk"],
  ])('email %s', (text, expected) => {
    expect(email.parse(text)).toBe(expected);
  });

  test.each(['anna', 'anna@example', 'an na@example.com', 'anna@example.com\n.x', 'аnna@example.com', `${'a'.repeat(65)}@example.com`])(
    'refuses email %j',
    (text) => {
      expect(email.safeParse(text).success).toBe(false);
    },
  );

  test.each([
    ['WS-07', true],
    ['ws_07.corp.example', true],
    ['-ws', false],
    ['a b', false],
    ['a\u0000', false],
    ['', false],
  ])('host name %j: %p', (text, expected) => {
    expect(hostName.safeParse(text).success).toBe(expected);
  });
});

describe('messages', () => {
  test('each has a producer and a consumer, and every service knows what it gets', () => {
    for (const [type, message] of Object.entries(messages)) {
      expect([type, message.from.length > 0, message.to.length > 0]).toEqual([type, true, true]);
      for (const service of message.to) expect(messagesTo(service)).toContain(type);
    }
  });

  test('carry no field that could hold a secret', () => {
    for (const message of Object.values(messages)) {
      expect(Object.keys(message.schema.shape).filter((field) => /password|secret|seed|token|code/i.test(field))).toEqual([]);
    }
  });
});

describe('roles', () => {
  test('only the administrator may change things beyond logins', () => {
    const writes = permissions.filter((permission) => permission.endsWith('.write'));
    expect(writes.filter((permission) => rolePermissions.TECHNICIAN.includes(permission))).toEqual([]);
    expect(rolePermissions.AUDITOR.filter((permission) => !permission.endsWith('.read'))).toEqual([]);
    expect(rolePermissions.ADMINISTRATOR).toEqual(permissions);
  });
});

describe('the approval challenge', () => {
  const login: LoginApprovalContent = {
    purpose: 'login',
    technicianId: newId(),
    loginRequestId: newId(),
    tenantId: newId(),
    tenantName: 'Contoso Dental',
    deviceId: newId(),
    hostName: 'ws-07',
    accountKind: 'LOCAL',
    shownNumber: '42',
    durationSeconds: 3600,
    reason: 'Printer',
    ticket: null,
  };
  const entra: EntraApprovalContent = {
    purpose: 'entra-access',
    technicianId: newId(),
    grantId: newId(),
    tenantId: newId(),
    tenantName: 'Contoso Dental',
    roleName: 'User Administrator',
    scope: '/',
    accountKind: 'JIT',
    recipientKey: 'A'.repeat(43),
    durationSeconds: 3600,
    reason: 'Mailbox',
    ticket: null,
  };

  test.each<ApprovalContent>([login, entra])(
    'of $purpose is the same for the same content, whatever the order of its fields',
    (content) => {
      const turned = Object.fromEntries(Object.entries(content).reverse()) as unknown as ApprovalContent;
      expect(approvalChallenge(turned)).toEqual(approvalChallenge(content));
    },
  );

  test.each([login, entra].flatMap((content) => Object.keys(content).map((field) => ({ content, field }))))(
    'of $content.purpose changes with $field',
    ({ content, field }) => {
      const others: Record<string, unknown> = {
        purpose: content.purpose === 'login' ? 'second-approval' : 'entra-second-approval',
        durationSeconds: 3601,
      };
      const other = { ...content, [field]: others[field] ?? 'other' } as ApprovalContent;
      expect(approvalChallenge(other)).not.toEqual(approvalChallenge(content));
    },
  );
});

describe('a scope in Entra', () => {
  const guid = '0a1b2c3d-0000-4000-8000-0123456789ab';
  test.each(['/', `/${guid}`, `/administrativeUnits/${guid}`])('%s', (scope) => {
    expect(entraScope.parse(scope)).toBe(scope);
  });
  test.each([
    '',
    'x',
    '/administrativeUnits/',
    '/administrativeUnits',
    `/${guid}/`,
    `/groups/${guid}`,
    `/${guid.toUpperCase()}`,
    `${guid}`,
  ])('is not “%s”', (scope) => {
    expect(entraScope.safeParse(scope).success).toBe(false);
  });
});
