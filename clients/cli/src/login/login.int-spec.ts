import { beforeEach, describe, expect, test } from '@jest/globals';
import { keyApprovalChallenge } from '@stint/contracts';
import { privateKeyFromPem, publicKeyFromX, publicKeyX, verifyDetached } from '@stint/crypto';
import { anId, signedIn, tenantId } from '../signed-in.support.ts';

const here = signedIn();

describe('approving a login', () => {
  const code = 'q0E7c2hSX3lKd0tQbFZ4Tg';
  const login = {
    id: anId(20),
    method: 'QR',
    state: 'PENDING',
    failure: null,
    shownNumber: '47',
    hostName: 'ws-17',
    tenantName: 'Contoso',
    sessionSeconds: 3600,
    expiresAt: '2026-11-23T13:18:21.000Z',
    device: { id: anId(21), kind: 'WORKSTATION', platform: 'Debian 12' },
    tenant: { id: tenantId },
  };
  beforeEach(() => {
    here.gateway.on('LoginByCode', () => ({ loginRequestByCode: login }));
    here.gateway.on('ApproveLogin', () => ({
      approveLogin: {
        __typename: 'LoginRequest',
        ...login,
        state: 'APPROVED',
        grant: { id: anId(22), state: 'APPROVED', accountName: 'jit-anna' },
      },
    }));
    here.gateway.on('DenyLogin', () => ({ denyLogin: { __typename: 'LoginRequest', ...login, state: 'DENIED' } }));
  });

  test('signs exactly what was shown and chosen', async () => {
    const flags = ['--minutes', '30', '--reason', '  Cafe\u0301 printer ', '--ticket', 'T-1', '--yes'];
    const { exitCode, stdout, stderr } = await here.stint(['login', 'approve', `${here.gateway.url}/login/${code}`, ...flags]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining('jit-anna') });
    for (const shown of ['Contoso', 'ws-17', '47', '30 min', 'Café printer', 'T-1', tenantId, anId(21)]) expect(stderr).toContain(shown);
    const [input] = here.sent('ApproveLogin');
    expect(input).toEqual({
      id: login.id,
      code,
      keyId: here.profile.credentialId,
      signature: expect.any(String),
      sessionSeconds: 1800,
      reason: 'Café printer',
      ticket: 'T-1',
    });
    const challenge = keyApprovalChallenge({
      loginRequestId: login.id,
      tenantId,
      tenantName: 'Contoso',
      deviceId: anId(21),
      hostName: 'ws-17',
      shownNumber: '47',
      durationSeconds: 1800,
      reason: 'Café printer',
      ticket: 'T-1',
    });
    const publicKey = publicKeyFromX(publicKeyX(privateKeyFromPem(here.profile.privateKey)));
    expect(verifyDetached(publicKey, challenge, String(input?.['signature']))).toBe(true);
  });

  test('sends no choice that was not made', async () => {
    await here.stint(['login', 'approve', code, '--yes']);
    expect(Object.keys(here.sent('ApproveLogin')[0] ?? {}).sort()).toEqual(['code', 'id', 'keyId', 'signature']);
  });

  test.each([
    ['y', 0, 1],
    ['YES', 0, 1],
    ['', 1, 0],
    ['n', 1, 0],
    ['yesterday', 1, 0],
  ])('asks first: %j', async (typed, exitCode, approvals) => {
    const result = await here.stint(['login', 'approve', code], { typed: [typed] });
    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toContain('Does the computer show 47');
    expect(here.sent('ApproveLogin')).toHaveLength(approvals);
  });

  test('does nothing when the terminal hangs up', async () => {
    expect(await here.stint(['login', 'approve', code], { typed: [] })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Cancelled'),
    });
    expect(here.sent('ApproveLogin')).toEqual([]);
  });

  test('needs --yes where nobody can be asked', async () => {
    expect(await here.stint(['login', 'approve', '-'], { stdin: `${code}\n` })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--yes'),
    });
    expect(await here.stint(['login', 'approve', '-', '--yes'], { stdin: `${code}\n` })).toMatchObject({ exitCode: 0 });
  });

  test('asks the server nothing about an address of another installation', async () => {
    expect(await here.stint(['login', 'approve', `https://evil.example.com/login/${code}`, '--yes'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('leads to https://evil.example.com'),
    });
    expect(here.gateway.calls).toEqual([]);
  });

  test.each(['APPROVED', 'DENIED', 'EXPIRED'])('refuses one that is %s', async (state) => {
    here.gateway.on('LoginByCode', () => ({ loginRequestByCode: { ...login, state } }));
    expect(await here.stint(['login', 'approve', code, '--yes'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Start a new one'),
    });
    expect(here.sent('ApproveLogin')).toEqual([]);
  });

  test('shows names as they are, not as they want to look', async () => {
    here.gateway.on('LoginByCode', () => ({ loginRequestByCode: { ...login, tenantName: 'Contoso\u001b[1A\u001b[2KFabrikam' } }));
    expect(await here.stint(['login', 'approve', code], { typed: ['n'] })).toMatchObject({
      stderr: expect.stringContaining('Contoso<U+001B>[1A<U+001B>[2KFabrikam'),
    });
  });

  test('knows none by a code that is unknown', async () => {
    here.gateway.on('LoginByCode', () => ({ loginRequestByCode: null }));
    expect(await here.stint(['login', 'show', code])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('No login') });
  });

  test('or denying it', async () => {
    expect(await here.stint(['login', 'deny', code])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('denied') });
    expect(here.sent('DenyLogin')).toEqual([{ id: login.id, code }]);
  });
});
