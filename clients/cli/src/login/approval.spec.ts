import { describe, expect, test } from '@jest/globals';
import { CommandRefusal, UsageError } from '../failure.ts';
import type { LoginShownFragment, LoginState } from '../generated/operations.ts';
import { approvalContent } from './approval.ts';

function aLogin(changes: Partial<LoginShownFragment> = {}): LoginShownFragment {
  return {
    id: '019ab0c0-0000-7000-8000-000000000001',
    method: 'QR',
    state: 'PENDING',
    failure: null,
    shownNumber: '47',
    hostName: 'ws-17',
    tenantName: 'Contoso',
    sessionSeconds: 3600,
    expiresAt: '2026-11-23T13:18:21.000Z',
    device: { id: '019ab0c0-0000-7000-8000-000000000002', kind: 'WORKSTATION', platform: 'Debian 12' },
    tenant: { id: '019ab0c0-0000-7000-8000-000000000003' },
    ...changes,
  };
}

describe('an approval', () => {
  test('covers what is shown and what was chosen', () => {
    expect(approvalContent(aLogin(), { minutes: 30, reason: 'Printer', ticket: 'T-1' })).toEqual({
      loginRequestId: '019ab0c0-0000-7000-8000-000000000001',
      tenantId: '019ab0c0-0000-7000-8000-000000000003',
      tenantName: 'Contoso',
      deviceId: '019ab0c0-0000-7000-8000-000000000002',
      hostName: 'ws-17',
      shownNumber: '47',
      durationSeconds: 1800,
      reason: 'Printer',
      ticket: 'T-1',
    });
  });

  test.each([
    [{}, 3600],
    [{ minutes: 60 }, 3600],
    [{ minutes: 1 }, 60],
  ])('with %j lasts %d seconds', (choice, seconds) => {
    const content = approvalContent(aLogin(), choice);
    expect(content).toMatchObject({ durationSeconds: seconds, reason: null, ticket: null });
  });

  test('never lasts longer than the setting', () => {
    expect(() => approvalContent(aLogin(), { minutes: 61 })).toThrow(UsageError);
  });

  test.each<LoginState>(['APPROVED', 'ACTIVE', 'ENDED', 'DENIED', 'EXPIRED', 'FAILED'])('of a login that is %s is refused', (state) => {
    expect(() => approvalContent(aLogin({ state }), {})).toThrow(CommandRefusal);
  });

  test.each([{ device: null }, { tenant: null }])('is refused where %j cannot be shown', (missing) => {
    expect(() => approvalContent(aLogin(missing), {})).toThrow(/cannot be read now/);
  });
});
