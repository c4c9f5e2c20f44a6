import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DemoEndGrantDocument, runAgent, computerFolders } from '@stint/embedded';
import { expectType, type ProblemError } from '@stint/sdk';
import { eventually } from '@stint/testing';
import { Stint } from './stint.ts';

// The whole graph in this process, the agent a real process on a private copy of /etc.
let stint: Stint;
beforeAll(async () => {
  stint = await Stint.start({ processes: false });
});
afterAll(() => stint.stop());

const ended = (grantId: string, reason: string) =>
  eventually(async () => expect(await stint.grant(grantId)).toMatchObject({ state: 'ENDED', endReason: reason }));

describe('a login by QR', () => {
  test('makes the account when approved, and takes it away when ended', async () => {
    const terminal = stint.login(['--method', 'qr']);
    const address = await terminal.qrAddress();
    const shown = await stint.phone.scan(address);
    expect(shown).toMatchObject({ tenantName: 'Contoso Dental', shownNumber: await terminal.shownNumber(), state: 'PENDING' });
    const grantId = await stint.phone.approve(address, shown, 'Printer');
    const active = await terminal.result();
    expect(active).toMatchObject({ grantId, account: 'jit-anna', passwordVerified: true });
    expect(stint.account('jit-anna')).toBe('enabled');
    const answer = await stint.phone.client.request(DemoEndGrantDocument, { input: { id: grantId } });
    expectType(answer.endGrant, 'Grant');
    await eventually(() => expect(stint.account('jit-anna')).toBe('disabled'));
    await ended(grantId, 'REVOKED');
  });

  test('approved a hundred times at once makes one grant', async () => {
    const terminal = stint.login(['--method', 'qr']);
    const address = await terminal.qrAddress();
    const shown = await stint.phone.scan(address);
    const answers = await Promise.allSettled(Array.from({ length: 100 }, () => stint.phone.approve(address, shown, 'Printer')));
    const grants = answers.filter((answer) => answer.status === 'fulfilled').map((answer) => answer.value);
    expect(new Set(grants).size).toBe(1);
    const refused = answers.filter((answer) => answer.status === 'rejected').map((answer) => (answer.reason as ProblemError).type);
    expect(new Set(refused)).toEqual(new Set(['Conflict']));
    const { grantId, account } = await terminal.result();
    expect(grants).toContain(grantId);
    await runAgent(['logoff', account, ...place()]);
    await ended(grantId, 'LOGGED_OFF');
    // Used once: the same code, later, approves nothing.
    await expect(stint.phone.approve(address, shown, 'Printer')).rejects.toMatchObject({ type: 'Conflict' });
  });

  test('approved for something else than was shown is refused', async () => {
    const terminal = stint.login(['--method', 'qr']);
    const address = await terminal.qrAddress();
    const shown = await stint.phone.scan(address);
    await expect(stint.phone.approve(address, { ...shown, hostName: 'another-computer' }, 'Printer')).rejects.toMatchObject({
      type: 'ApprovalInvalid',
    });
    await expect(stint.phone.approve(address, { ...shown, shownNumber: '00', tenantName: 'Fabrikam' }, 'Printer')).rejects.toMatchObject({
      type: 'ApprovalInvalid',
    });
    const grantId = await stint.phone.approve(address, shown, 'Printer');
    const { account } = await terminal.result();
    await runAgent(['logoff', account, ...place()]);
    await ended(grantId, 'LOGGED_OFF');
  });
});

describe('a login by TOTP', () => {
  test('works once per code, and the sixth wrong try is locked', async () => {
    const attempt = async (code: string) => {
      const terminal = stint.login(['--method', 'totp', '--email', stint.world.technician.email]);
      terminal.type(code);
      return terminal.result();
    };
    // The code of the enrolment is used up: wait for the next one.
    const used = stint.phone.totpCode();
    await eventually(() => expect(stint.phone.totpCode()).not.toBe(used), { timeoutMs: 31_000 });
    const code = stint.phone.totpCode();
    const { grantId, account } = await attempt(code);
    await runAgent(['logoff', account, ...place()]);
    await ended(grantId, 'LOGGED_OFF');
    for (let wrong = 0; wrong < 5; wrong += 1) await expect(attempt(code)).rejects.toThrow('REFUSED');
    await expect(attempt('000000')).rejects.toThrow('Too many wrong codes');
    // Locked out of TOTP at this computer, not of QR.
    const terminal = stint.login(['--method', 'qr']);
    const address = await terminal.qrAddress();
    const grant = await stint.phone.approve(address, await stint.phone.scan(address), 'Printer');
    expect((await terminal.result()).grantId).toBe(grant);
    await runAgent(['logoff', account, ...place()]);
  });
});

test('a computer whose key is a year old changes it and goes on with the new one', async () => {
  const file = join(computerFolders(stint.installation.directory).state, 'identity.json');
  const identity = () => JSON.parse(readFileSync(file, 'utf8')) as { credentialId: string };
  await stint.killComputer();
  const before = identity();
  writeFileSync(file, JSON.stringify({ ...before, keyMadeAt: new Date(Date.now() - 400 * 86_400_000).toISOString() }));
  await stint.startComputer();
  await eventually(() => expect(identity()).toMatchObject({ credentialId: expect.not.stringMatching(before.credentialId), next: null }));
  const terminal = stint.login(['--method', 'qr']);
  const address = await terminal.qrAddress();
  const grantId = await stint.phone.approve(address, await stint.phone.scan(address), 'Printer');
  const { account } = await terminal.result();
  await runAgent(['logoff', account, ...place()]);
  await ended(grantId, 'LOGGED_OFF');
});

test('afterwards the outbox is drained and the audit log verifies', async () => {
  await stint.drained();
  const { verification, actions } = await stint.audit();
  expect(verification).toMatchObject({ intact: true, brokenAt: null });
  expect(actions).toEqual(expect.arrayContaining(['login.approved', 'grant.activated', 'grant.ended', 'totp.accepted', 'totp.locked']));
});

function place(): string[] {
  const { state, root } = computerFolders(stint.installation.directory);
  return ['--state', state, '--root', root];
}
