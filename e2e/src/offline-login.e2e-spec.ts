import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { URI, type TOTP } from 'otpauth';
import { deviceTotpSeed, totpCode, totpStep } from '@stint/crypto';
import { computerFolders } from '@stint/embedded';
import { newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { Stint } from './stint.ts';

// Every service and the agent is a real process; the gateway is killed to put the computer out of reach.
let stint: Stint;
beforeAll(async () => {
  stint = await Stint.start({ processes: true });
});
afterAll(() => stint.stop());

/** The code that the technician's phone computes for one computer, from nothing but its secret and the computer's id. */
function offlineCode(deviceId: string): string {
  const app = URI.parse(stint.world.totpUri) as TOTP;
  return totpCode(deviceTotpSeed(Buffer.from(app.secret.bytes), deviceId), totpStep(new Date()));
}

async function attempt(code: string) {
  const terminal = stint.login(['--method', 'offline', '--email', stint.world.technician.email]);
  terminal.type(code);
  return terminal.result();
}

test('a technician logs in at a computer that cannot reach the server; the server hears of it when it can again', async () => {
  const { state } = computerFolders(stint.installation.directory);
  // Whatever was told about the technician has arrived; an agent that starts asks at once.
  await stint.drained();
  await stint.killComputer();
  await stint.startComputer();
  await eventually(
    () =>
      expect(JSON.parse(readFileSync(join(state, 'offline.json'), 'utf8'))).toMatchObject({
        access: [{ email: stint.world.technician.email }],
      }),
    { timeoutMs: 60_000 },
  );
  const { deviceId } = JSON.parse(readFileSync(join(state, 'identity.json'), 'utf8')) as { deviceId: string };
  await stint.processes?.kill('gateway');

  await expect(attempt(offlineCode(newId()))).rejects.toThrow('REFUSED');
  await expect(attempt(stint.phone.totpCode())).rejects.toThrow('REFUSED');
  const code = offlineCode(deviceId);
  const { grantId, account } = await attempt(code);
  expect(stint.account(account)).toBe('enabled');
  await expect(attempt(code)).rejects.toThrow('REFUSED');

  await stint.processes?.start('gateway');
  await eventually(async () => expect(await stint.grant(grantId)).toMatchObject({ state: 'ACTIVE' }), { timeoutMs: 90_000 });
  expect(stint.account(account)).toBe('enabled');
  await stint.drained();
  const { actions, verification } = await stint.audit();
  expect(actions).toContain('login.offline');
  expect(actions).not.toContain('login.offline-refused');
  expect(verification).toMatchObject({ intact: true });
}, 240_000);
