import { beforeEach, describe, expect, test } from '@jest/globals';
import { anId, signedIn, tenantId } from '../signed-in.support.ts';

const here = signedIn();

describe('a login that waits', () => {
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
    here.gateway.on('DenyLogin', () => ({ denyLogin: { __typename: 'LoginRequest', ...login, state: 'DENIED' } }));
  });

  test('is for the browser, which has the passkey: its address is shown', async () => {
    const { exitCode, stdout } = await here.stint(['login', 'show', `${here.gateway.url}/l/${code}`]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining(`${here.gateway.url}/l/${code}`) });
    for (const shown of ['Contoso', 'ws-17', '47', '1 h']) expect(stdout).toContain(shown);
  });

  test('can be piped in', async () => {
    expect(await here.stint(['login', 'show', '-'], { stdin: `${code}\n` })).toMatchObject({ exitCode: 0 });
  });

  test('asks the server nothing about an address of another installation', async () => {
    expect(await here.stint(['login', 'show', `https://evil.example.com/l/${code}`])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('leads to https://evil.example.com'),
    });
    expect(here.gateway.calls).toEqual([]);
  });

  test('shows names as they are, not as they want to look', async () => {
    here.gateway.on('LoginByCode', () => ({ loginRequestByCode: { ...login, tenantName: 'Contoso\u001b[1A\u001b[2KFabrikam' } }));
    expect(await here.stint(['login', 'show', code])).toMatchObject({
      stdout: expect.stringContaining('Contoso<U+001B>[1A<U+001B>[2KFabrikam'),
    });
  });

  test('knows none by a code that is unknown', async () => {
    here.gateway.on('LoginByCode', () => ({ loginRequestByCode: null }));
    expect(await here.stint(['login', 'show', code])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('No login') });
  });

  test('can be denied', async () => {
    expect(await here.stint(['login', 'deny', code])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('denied') });
    expect(here.sent('DenyLogin')).toEqual([{ id: login.id, code }]);
  });
});
