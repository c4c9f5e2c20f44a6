import { beforeEach, describe, expect, test } from '@jest/globals';
import { sealTo } from '@stint/crypto';
import { anId, signedIn } from '../signed-in.support.ts';

const here = signedIn();

describe('TOTP', () => {
  const uri =
    'otpauth://totp/Contoso:anna@example.com?issuer=Contoso&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&algorithm=SHA1&digits=6&period=30';
  const technician = { id: anId(30), email: 'anna@example.com', totpEnrolled: false };
  beforeEach(() => {
    here.gateway.on('TotpViewer', () => ({ viewer: { technician } }));
    here.gateway.on('EnrollTotp', async ({ variables }) => {
      const { recipientKey } = variables['input'] as { recipientKey: string };
      return {
        enrollTotp: {
          __typename: 'TotpEnrollment',
          ...(await sealTo({ publicKey: recipientKey, info: 'stint-totp-enrollment-v1', aad: technician.id }, Buffer.from(uri))),
        },
      };
    });
    here.gateway.on('ConfirmTotp', ({ variables }) => {
      const { code } = variables['input'] as { code: string };
      if (code === '000000')
        return { confirmTotp: { __typename: 'TotpLocked', message: 'Too many wrong codes.', retryAt: '2026-11-23T13:18:21.000Z' } };
      return {
        confirmTotp:
          code === '123456'
            ? { __typename: 'Technician', ...technician, totpEnrolled: true }
            : { __typename: 'TotpRefused', message: 'Wait for the next code.' },
      };
    });
  });

  test('is enrolled with a QR code and the secret', async () => {
    const { exitCode, stdout, stderr } = await here.stint(['totp', 'enroll']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('▀');
    expect(stdout).toContain('JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP');
    expect(stderr).toContain('stint totp confirm');
    expect(stderr).not.toContain('JBSW');
  });

  test('is enrolled with a new key each time', async () => {
    await here.stint(['totp', 'enroll']);
    await here.stint(['totp', 'enroll']);
    expect(new Set(here.sent('EnrollTotp').map((input) => input['recipientKey'])).size).toBe(2);
  });

  test('gives machines the address alone', async () => {
    expect(JSON.parse((await here.stint(['totp', 'enroll', '--json'])).stdout)).toEqual({ uri });
  });

  test('is confirmed at once at a terminal, whatever is mistyped before', async () => {
    const { exitCode, stdout } = await here.stint(['totp', 'enroll'], { typed: ['12345', '111111', '123 456'] });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining('Confirmed') });
    expect(here.sent('ConfirmTotp')).toEqual([{ code: '111111' }, { code: '123456' }]);
  });

  test('sealed for somebody else is refused', async () => {
    here.gateway.on('TotpViewer', () => ({ viewer: { technician: { ...technician, id: anId(31) } } }));
    expect(await here.stint(['totp', 'enroll'])).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('not sealed for you'),
    });
  });

  test.each([
    [['123456'], {}, 0],
    [['-'], { stdin: '123456\n' }, 0],
    [[], { typed: ['123456'] }, 0],
    [['111111'], {}, 1],
    [['000000'], {}, 1],
  ])('is confirmed by %j with %j: %d', async (argv, surroundings, exitCode) => {
    expect(await here.stint(['totp', 'confirm', ...argv], surroundings)).toMatchObject({ exitCode });
  });

  test('that is locked says until when', async () => {
    expect(await here.stint(['totp', 'confirm', '000000'])).toMatchObject({
      stderr: 'stint: Too many wrong codes. The earliest next try is at 2026-11-23 13:18:21Z.\n',
    });
  });
});
