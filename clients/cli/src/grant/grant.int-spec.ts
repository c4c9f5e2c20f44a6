// What the commands that change a grant send, and its record from the server's answer to the verdict.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { approvalChallenge, type LoginApprovalContent } from '@stint/contracts';
import { passkeyRegistrationOptions, passkeyRequestOptions, verifyPasskeyRegistration } from '@stint/crypto';
import { canonicalEvidence, type CanonicalEvidence } from '@stint/evidence';
import { PasskeyEmulator } from '@stint/passkey-emulator';
import { anId, signedIn } from '../signed-in.support.ts';

const here = signedIn();
const grantId = anId(57);
const grant = {
  ...{ __typename: 'Grant', id: grantId, state: 'ACTIVE', accountName: 'jit-anna', reason: null, ticket: null },
  ...{ approvedAt: '2026-11-23T13:18:21Z', activeAt: '2026-11-23T13:18:30Z', expiresAt: '2026-11-23T15:18:30Z', endedAt: null },
  ...{ endReason: null, failure: null, technician: null, device: { id: anId(56), hostName: 'ws-17' } },
  ...{ entraRole: null, entraScope: null, entraAccountKind: null, tenant: { id: anId(1), name: 'Contoso Dental' } },
};

describe('one grant', () => {
  test('on a device is shown without anything of Entra', async () => {
    here.gateway.on('OneGrant', () => ({ grant }));
    const { exitCode, stdout } = await here.stint(['grant', 'show', grantId]);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/device +ws-17\n/) });
    expect(stdout).not.toContain('Entra');
  });

  test('in Entra is shown with what was done and seen there, step by step', async () => {
    const step = { kind: 'CREATE_USER', beganAt: '2026-11-23T13:18:22Z', endedAt: '2026-11-23T13:18:23Z', outcome: 'DONE', detail: null };
    const entraAccess = {
      ...{ phase: 'ENDING', accountName: 'jit-anna@contoso.example', roleName: 'User Administrator', scope: '/', assignment: 'SCHEDULE' },
      ...{ builtInEndsAt: '2026-11-23T15:18:30Z', activeAt: '2026-11-23T13:18:30Z', endingSince: '2026-11-23T14:00:00Z', endedAt: null },
      ...{ stuckSince: '2026-11-23T14:05:00Z', problem: 'Consent was withdrawn.', failure: null, notice: null, exposure: null },
      steps: [step, { ...step, kind: 'REMOVE_ROLE', endedAt: null, outcome: null, detail: 'Forbidden' }],
    };
    const inEntra = { entraRole: 'User Administrator', entraScope: '/', entraAccountKind: 'JIT', device: null };
    here.gateway.on('OneGrant', () => ({ grant: { ...grant, ...inEntra } }));
    here.gateway.on('GrantInEntra', () => ({ grant: { entraAccess } }));
    const { stdout } = await here.stint(['grant', 'show', grantId]);
    for (const shown of [/in Entra +ending\n/, /scope +the whole tenant\n/, /signs in as +jit-anna@contoso.example\n/])
      expect(stdout).toMatch(shown);
    expect(stdout).toMatch(/stuck since +2026-11-23 14:05:00Z\nproblem +Consent was withdrawn\.\n/);
    expect(stdout).toContain('2026-11-23 13:18:22Z  create user  done\n2026-11-23 13:18:22Z  remove role  ?        Forbidden\n');
    const { stdout: machine } = await here.stint(['--json', 'grant', 'show', grantId]);
    expect(JSON.parse(machine)).toMatchObject({ entraAccess });
  });

  test('that is not there, or another tenant has, is not found', async () => {
    here.gateway.on('OneGrant', () => ({ grant: null }));
    expect(await here.stint(['grant', 'show', grantId])).toMatchObject({ exitCode: 1, stdout: '' });
  });
});

describe('how long a session lasts', () => {
  test('is extended, each time by an id of its own', async () => {
    here.gateway.on('ExtendGrant', () => ({ extendGrant: grant }));
    const { exitCode, stdout } = await here.stint(['grant', 'extend', grantId, '--minutes', '30']);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('2026-11-23 15:18:30Z at the latest') });
    await here.stint(['grant', 'extend', grantId, '--minutes', '30']);
    const [first, second] = here.sent('ExtendGrant');
    expect(first).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), grantId, seconds: 1800 });
    expect(second?.['id']).not.toBe(first?.['id']);
  });

  test('is shortened', async () => {
    here.gateway.on('ShortenGrant', () => ({ shortenGrant: grant }));
    const before = Date.now();
    expect(await here.stint(['grant', 'shorten', grantId, '--minutes', '5'])).toMatchObject({ exitCode: 0 });
    const [input] = here.sent('ShortenGrant');
    expect(input?.['id']).toBe(grantId);
    const left = new Date(String(input?.['expiresAt'])).getTime() - before;
    expect(left).toBeGreaterThanOrEqual(300_000);
    expect(left).toBeLessThan(330_000);
  });

  test('is refused in the words of the server', async () => {
    const message = 'This session lasts as long as it may already (3600 s).';
    here.gateway.on('ExtendGrant', () => ({ extendGrant: { __typename: 'Conflict', message } }));
    expect(await here.stint(['grant', 'extend', grantId, '--minutes', '5'])).toMatchObject({ exitCode: 1, stderr: `stint: ${message}\n` });
  });

  test.each([
    ['extend', grantId],
    ['extend', grantId, '--minutes', '0'],
    ['shorten', grantId, '--minutes', '481'],
    ['end-all', anId(6)],
    ['end-all', anId(6), '--reason', ' '],
  ])('is not touched by grant %s %s %s %s', async (...argv) => {
    expect(await here.stint(['grant', ...argv.filter((each) => each !== undefined)])).toMatchObject({ exitCode: 2, stdout: '' });
    expect(here.gateway.calls).toEqual([]);
  });
});

describe('everything of one technician', () => {
  const endAll = ['grant', 'end-all', anId(6), '--reason', 'Left'];

  test.each([
    [0, 0],
    [2, 1],
  ])('ends; with %d out of reach the exit code is %d', async (outOfReach, exitCode) => {
    const grants = [{ id: grantId, state: 'ENDING' }];
    here.gateway.on('EndAllOfTechnician', () => ({
      endAllOfTechnician: { __typename: 'EndedAll', grants, cancelledLogins: 3, outOfReach },
    }));
    expect(await here.stint([...endAll, '--yes', '--json'])).toMatchObject({ exitCode });
    expect(here.sent('EndAllOfTechnician')).toEqual([{ technicianId: anId(6), reason: 'Left' }]);
  });

  test('is asked for', async () => {
    expect(await here.stint(endAll, { typed: ['n'] })).toMatchObject({ exitCode: 1 });
    expect(await here.stint(endAll)).toMatchObject({ exitCode: 2 });
    expect(here.gateway.calls).toEqual([]);
  });
});

describe('the record of a grant', () => {
  const url = 'https://stint.example.com';
  let record: CanonicalEvidence;
  let file: string;

  beforeAll(async () => {
    record = canonicalEvidence(await signedRecord(url));
  });
  beforeEach(() => {
    file = join(here.folder, 'record.json');
    here.gateway.on('GrantEvidence', () => ({ grant: { evidence: record } }));
  });

  test('is exported byte for byte, for people and machines alike, and never over a file', async () => {
    for (const more of [[], ['--json']])
      expect(await here.stint(['grant', 'evidence', grantId, ...more])).toMatchObject({ exitCode: 0, stdout: record.json });
    const written = await here.stint(['grant', 'evidence', grantId, '--out', file]);
    expect(written).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(record.sha256) });
    expect(await readFile(file, 'utf8')).toBe(record.json);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await here.stint(['grant', 'evidence', grantId, '--out', file])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('there is a file of this name already'),
    });
  });

  test('is verified from a file or from stdin, without a server', async () => {
    await writeFile(file, record.json);
    await here.gateway.stop();
    for (const run of [
      await here.stint(['grant', 'verify', file, '--url', `${url}/app`]),
      await here.stint(['grant', 'verify', '-'], { stdin: record.json }),
    ]) {
      expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^record +intact\n/) });
      expect(run.stdout).toContain(record.sha256);
      expect(run.stdout).toMatch(/^proved +The passkey \S+, recorded as that of Anna <anna@example.com>, signed exactly this/m);
      expect(run.stdout).toMatch(/^not proved +That this passkey belongs to Anna/m);
    }
    const machine = await here.stint(['grant', 'verify', file, '--json']);
    expect(JSON.parse(machine.stdout)).toMatchObject({ intact: true, sha256: record.sha256, grantId });
  });

  test('that was changed, was signed elsewhere, or is none ends with 1', async () => {
    const forged = record.json.replaceAll('Printer', 'Nothing');
    for (const stdin of [forged, '', '{}', 'x'.repeat(4_000_001)]) {
      const { exitCode, stdout } = await here.stint(['grant', 'verify', '-'], { stdin });
      expect([exitCode, stdout]).toEqual([1, expect.not.stringContaining('intact')]);
    }
    const elsewhere = await here.stint(['grant', 'verify', '-', '--url', 'https://other.example'], { stdin: record.json });
    expect(elsewhere).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^record +NOT TO BE BELIEVED\n/) });
  });

  test('without a file, or with an address that is none, is told so', async () => {
    expect(await here.stint(['grant', 'verify', file])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('cannot be read') });
    expect(await here.stint(['grant', 'verify', '-', '--url', 'here'], { stdin: record.json })).toMatchObject({ exitCode: 2 });
  });

  test('cannot take over the terminal', async () => {
    const content = await signedRecord(url);
    content.technician.displayName = 'A\u001b[2Jnna\u202e';
    const { stdout } = await here.stint(['grant', 'verify', '-'], { stdin: canonicalEvidence(content).json });
    expect(stdout).not.toMatch(/[\u001b\u202e]/);
  });
});

async function signedRecord(origin: string): Promise<Parameters<typeof canonicalEvidence>[0]> {
  const rpId = new URL(origin).hostname;
  const phone = new PasskeyEmulator();
  const user = { id: Buffer.from(anId(6)), name: 'anna@example.com', displayName: 'Anna' };
  const registration = await passkeyRegistrationOptions({ rpId, user, timeoutSeconds: 60 });
  const response = JSON.stringify(phone.register(registration.optionsJson, origin));
  const registered = await verifyPasskeyRegistration(response, { challenge: registration.challenge, origin, rpId });
  if (!registered.ok) throw new Error(registered.failure);
  const shown = { reason: 'Printer', ticket: null, tenantName: 'Contoso', hostName: 'ws-17', shownNumber: '42' };
  const { tenantName, hostName, shownNumber, reason, ticket } = shown;
  const content: LoginApprovalContent = {
    ...{ purpose: 'login', technicianId: anId(6), loginRequestId: anId(7), tenantId: anId(1), tenantName, deviceId: anId(56) },
    ...{ hostName, accountKind: 'LOCAL', shownNumber, durationSeconds: 3600, reason, ticket },
  };
  const challenge = approvalChallenge(content).toString('base64url');
  const { optionsJson } = await passkeyRequestOptions({ rpId, challenge, timeoutSeconds: 60 });
  const { authenticatorData, clientDataJSON, signature } = phone.sign(optionsJson, origin).response;
  const { id: passkeyId, publicKey, algorithm } = registered.passkey;
  const at = (second: number) => new Date(Date.UTC(2026, 10, 23, 13, 0, second)).toISOString();
  return {
    format: 'stint-grant-evidence/1',
    grant: { id: grantId, state: 'ENDED', accountName: 'jit-anna', reason, ticket, approvedAt: at(9), approvedSeconds: 3600 },
    technician: { id: anId(6), displayName: 'Anna', email: 'anna@example.com' },
    tenant: { id: anId(1), name: tenantName },
    device: { id: anId(56), hostName },
    login: { id: anId(7), method: 'QR', shownNumber, hostName, tenantName, startedAt: at(0) },
    rule: { id: null, name: null, maxSeconds: 28_800, approvals: 0, approverGroupId: null },
    approval: { by: 'passkey', passkeyId, publicKey, algorithm, authenticatorData, clientDataJSON, signature, content },
    secondApprovals: [],
    session: {
      ...{ activeAt: at(10), expiresAt: at(3610), endingAt: null, endedAt: at(60), endReason: 'LOGGED_OFF', endedBy: null },
      ...{ failure: null, idleEndSeconds: 600 },
    },
    changes: [],
    privilegedChanges: [],
  };
}
