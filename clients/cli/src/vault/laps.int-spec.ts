// What the commands of break-glass accounts send and show, against a gateway that answers as the test says.
import { readdir } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { lapsSealing, sealTo, type LapsCertainty } from '@stint/crypto';
import { anId, signedIn, tenantId } from '../signed-in.support.ts';

const here = signedIn();
const accountId = anId(70);
const digest = 'ab'.repeat(32);
const finding = {
  ...{ digest, uid: 1000, lastLogOnAt: '2026-11-20T08:00:00Z', groups: ['sudo', 'docker'], seenAt: '2026-11-24T01:00:00Z' },
  uses: ['process 17 backup.sh', 'crontab'],
};
const account = {
  ...{ id: accountId, kind: 'LOCAL', name: 'stint-admin', state: 'CONFIRMED', problem: null, overdue: false, versions: 3 },
  ...{ confirmedAt: '2026-11-24T01:00:00.000Z', dueAt: '2026-11-25T01:00:00.000Z', revealedAt: null },
  ...{ checkedOutBy: null, checkedOutUntil: null, finding: null as typeof finding | null },
  ...{ device: { id: anId(56), hostName: 'ws-17' }, tenant: { id: tenantId, name: 'Contoso' } },
};

interface Answered {
  accountId: string;
  recipientKey: string;
}

/** Answers as the vault does: sealed to the key that came, in an order that is not the one to show. */
async function sealed(asked: Answered, passwords: [string, LapsCertainty][], to: Partial<Answered> = {}) {
  const { info, aad } = lapsSealing.reveal;
  const candidates = passwords.map(async ([password, certainty], index) => {
    const versionId = anId(80 + index);
    const place = { publicKey: to.recipientKey ?? asked.recipientKey, info, aad: aad(to.accountId ?? asked.accountId, versionId) };
    const at = { escrowedAt: '2026-11-24T01:00:00.000Z', confirmedAt: certainty === 'CANDIDATE' ? null : '2026-11-24T01:00:05.000Z' };
    return { versionId, certainty, ...at, ...(await sealTo(place, Buffer.from(password))) };
  });
  return { __typename: 'RevealedLapsPassword', account, candidates: await Promise.all(candidates) };
}

function answers(passwords: [string, LapsCertainty][], to?: Partial<Answered>): void {
  here.gateway.on('RevealLapsPassword', async ({ variables }) => ({
    revealLapsPassword: await sealed(variables['input'] as Answered, passwords, to),
  }));
  here.gateway.on('CheckOutLapsAccount', async ({ variables }) => ({
    checkOutLapsAccount: await sealed(variables['input'] as Answered, passwords, to),
  }));
}

describe('accounts', () => {
  test('are listed with what they need, and on request only those that need somebody', async () => {
    const nodes = [
      account,
      { ...account, state: 'STUCK', problem: 'The disk is full.', overdue: true },
      { ...account, state: 'FOUND', confirmedAt: null, dueAt: null, finding },
      { ...account, checkedOutUntil: '2026-11-24T05:00:00Z', checkedOutBy: { id: anId(6), displayName: 'Ada' } },
    ];
    const lapsAccounts = { edges: nodes.map((node) => ({ node })), pageInfo: { hasNextPage: false, endCursor: null } };
    here.gateway.on('LapsAccounts', () => ({ tenant: { lapsAccounts } }));
    const { stdout } = await here.stint(['laps', 'list', tenantId, '--attention']);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/).slice(1))).toMatchObject([
      ['COMPUTER', 'ACCOUNT', 'STATE', 'CONFIRMED', 'NEXT CHANGE', 'NOTE'],
      ['ws-17', 'stint-admin', 'confirmed', '2026-11-24 01:00:00Z', '2026-11-25 01:00:00Z'],
      ['ws-17', 'stint-admin', 'stuck', '2026-11-24 01:00:00Z', '2026-11-25 01:00:00Z', 'overdue; The disk is full.'],
      ['ws-17', 'stint-admin', 'found', 'never', 'an account of this name is there: stint laps take-over'],
      ['ws-17', 'stint-admin', 'confirmed', '2026-11-24 01:00:00Z', '2026-11-25 01:00:00Z', 'checked out until 2026-11-24 05:00:00Z'],
      [],
    ]);
    await here.stint(['laps', 'list', tenantId]);
    expect(here.gateway.calls.map(({ variables }) => variables['needsAttention'])).toEqual([true, false]);
  });

  test('are shown one by one, are changed with a reason, and are given back', async () => {
    here.gateway.on('OneLapsAccount', () => ({ lapsAccount: account }));
    here.gateway.on('RotateLapsPassword', () => ({ rotateLapsPassword: { __typename: 'LapsAccount', ...account } }));
    here.gateway.on('CheckInLapsAccount', () => ({ checkInLapsAccount: { __typename: 'LapsAccount', ...account } }));
    expect(await here.stint(['laps', 'show', accountId])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('ws-17') });
    expect(await here.stint(['laps', 'rotate', accountId, '--reason', 'Left'])).toMatchObject({ exitCode: 0 });
    expect(here.sent('RotateLapsPassword')).toEqual([{ accountId, reason: 'Left' }]);
    expect(await here.stint(['laps', 'check-in', accountId])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Checked in') });
    here.gateway.on('OneLapsAccount', () => ({ lapsAccount: null }));
    expect(await here.stint(['laps', 'show', accountId])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('break-glass') });
  });

  test.each([
    ['laps', 'reveal', accountId],
    ['laps', 'reveal', accountId, '--reason', ' '],
    ['laps', 'rotate', accountId],
    ['laps', 'check-out', accountId, '--reason', 'x'],
    ['laps', 'check-out', accountId, '--reason', 'x', '--minutes', '4'],
    ['laps', 'check-out', accountId, '--reason', 'x', '--hours', '8', '--minutes', '1'],
    ['laps', 'take-over', accountId, '--yes', 'yes'],
  ])('are not touched by %s %s', async (...argv) => {
    expect(await here.stint(argv)).toMatchObject({ exitCode: 2, stdout: '' });
    expect(here.gateway.calls).toEqual([]);
  });
});

describe('a password', () => {
  const reveal = ['laps', 'reveal', accountId, '--reason', 'Network down'];

  test('comes to stdout alone, the confirmed one first, the others labelled', async () => {
    answers([
      ['former-pass', 'FORMER'],
      ['perhaps-pass', 'CANDIDATE'],
      ['right-pass', 'CONFIRMED'],
    ]);
    const { exitCode, stdout, stderr } = await here.stint([...reveal, '--ticket', 'T-1', '--history']);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').slice(-5)).toEqual([
      'PASSWORD      HOW SURE   MADE                  READ BACK',
      'right-pass    confirmed  2026-11-24 01:00:00Z  2026-11-24 01:00:05Z',
      'perhaps-pass  candidate  2026-11-24 01:00:00Z  never',
      'former-pass   former     2026-11-24 01:00:00Z  2026-11-24 01:00:05Z',
      '',
    ]);
    expect(stderr).toContain('try them from the top');
    expect(stderr).not.toContain('pass-');
    expect(stderr).not.toContain('-pass');
    expect(here.sent('RevealLapsPassword')).toMatchObject([{ accountId, reason: 'Network down', ticket: 'T-1', history: true }]);
  });

  test('is asked for with a new key each time, and nothing of it is kept', async () => {
    answers([['right-pass', 'CONFIRMED']]);
    await here.stint(reveal);
    await here.stint(reveal);
    const asked = here.sent('RevealLapsPassword');
    expect(new Set(asked.flatMap(({ id, recipientKey }) => [id, recipientKey])).size).toBe(4);
    expect(await readdir(here.folder, { recursive: true })).toEqual(['profiles', 'profiles/default.json']);
  });

  test('is for machines JSON, spelled on request', async () => {
    answers([['aB1', 'CONFIRMED']]);
    const shown = JSON.parse((await here.stint([...reveal, '--json', '--phonetic', '--qr'])).stdout) as object;
    const phonetic = ['alfa', 'capital Bravo', 'one'];
    expect(shown).toEqual({
      account,
      candidates: [expect.objectContaining({ versionId: anId(80), certainty: 'CONFIRMED', password: 'aB1', phonetic })],
    });
    expect(JSON.stringify(shown)).not.toContain('ciphertext');
  });

  test('is spelled and drawn for people', async () => {
    answers([['aB1-xyz', 'CONFIRMED']]);
    const { stdout } = await here.stint([...reveal, '--phonetic', '--qr']);
    expect(stdout).toContain('confirmed, spelled:\n  alfa, capital Bravo, one, hyphen, xray, yankee\n  zulu\n');
    expect(stdout).toContain('▀');
  });

  test('that would take over the terminal is written out', async () => {
    answers([['a\u001b[2Jb', 'CONFIRMED']]);
    const { stdout, stderr } = await here.stint(reveal);
    expect(stdout).toContain('a<U+001B>[2Jb');
    expect(stdout).not.toContain('\u001b');
    expect(stderr).toContain('--json');
  });

  test.each<[string, Partial<Answered>]>([
    ['another reader', { recipientKey: 'HGwEVw_a4LpF7QpZqFh6l5q7EdvBb-R2RK3-mUJhT2k' }],
    ['another account', { accountId: anId(71) }],
  ])('that was sealed for %s is not shown', async (_, to) => {
    answers([['right-pass', 'CONFIRMED']], to);
    const refused = { exitCode: 1, stdout: '', stderr: expect.stringContaining('not sealed for you') };
    expect(await here.stint(reveal)).toMatchObject(refused);
  });

  test('of several that does not open keeps the others not back, and is told', async () => {
    here.gateway.on('RevealLapsPassword', async ({ variables }) => {
      const answer = await sealed(variables['input'] as Answered, [
        ['right-pass', 'CONFIRMED'],
        ['perhaps-pass', 'CANDIDATE'],
      ]);
      const [first, second] = answer.candidates;
      return { revealLapsPassword: { ...answer, candidates: [first, { ...second, versionId: anId(99) }] } };
    });
    const { exitCode, stdout, stderr } = await here.stint(reveal);
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('1 of them') });
    expect(stdout).toContain('right-pass');
    expect(stdout).toMatch(/not readable +candidate/);
  });

  test.each([
    [{ __typename: 'LapsAccessDenied', message: 'You are in none of the groups.' }, 'You are in none of the groups.'],
    [{ __typename: 'NothingEscrowed', message: 'None yet.' }, 'None yet.'],
    [
      { __typename: 'RevealsLimited', message: 'Too many.', retryAt: '2026-11-24T02:00:00Z' },
      'Too many. The next one: 2026-11-24 02:00:00Z.',
    ],
    [
      { __typename: 'LapsCheckedOut', message: 'Out.', until: '2026-11-24T02:00:00Z' },
      'Out. It ends at 2026-11-24 02:00:00Z at the latest.',
    ],
  ])('is refused: %j', async (problem, message) => {
    here.gateway.on('RevealLapsPassword', () => ({ revealLapsPassword: problem }));
    expect(await here.stint(reveal)).toMatchObject({ exitCode: 1, stdout: '', stderr: `stint: ${message}\n` });
    const { stderr } = await here.stint([...reveal, '--json']);
    expect(JSON.parse(stderr)).toMatchObject({ error: { type: problem.__typename } });
  });

  test('is checked out for a time', async () => {
    answers([['right-pass', 'CONFIRMED']]);
    const checkOut = ['laps', 'check-out', accountId, '--reason', 'Migration', '--hours', '1', '--minutes', '30'];
    expect(await here.stint(checkOut)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('right-pass') });
    expect(here.sent('CheckOutLapsAccount')).toMatchObject([{ accountId, reason: 'Migration', seconds: 5400 }]);
  });
});

describe('taking over an account that was there before', () => {
  beforeEach(() => {
    here.gateway.on('OneLapsAccount', () => ({ lapsAccount: { ...account, state: 'FOUND', finding } }));
    here.gateway.on('TakeOverLapsAccount', ({ variables }) => ({
      takeOverLapsAccount:
        (variables['input'] as { digest: string }).digest === digest
          ? { __typename: 'LapsAccount', ...account, state: 'WAITING' }
          : { __typename: 'Conflict', message: 'This is not what the agent sees now.' },
    }));
  });

  test('shows who used it last, its groups and what uses it, and goes no further without a yes', async () => {
    const { exitCode, stdout, stderr } = await here.stint(['laps', 'take-over', accountId]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    for (const told of ['2026-11-20 08:00:00Z', 'sudo, docker', 'process 17 backup.sh', 'crontab', `--yes ${digest}`])
      expect(stderr).toContain(told);
    expect(here.sent('TakeOverLapsAccount')).toEqual([]);
  });

  test.each([[['stint-admin'], 0, 1] as const, [['yes'], 1, 0] as const, [[], 1, 0] as const])(
    'at a terminal with %j typed: exit code %d',
    async (typed, exitCode, calls) => {
      expect(await here.stint(['laps', 'take-over', accountId], { typed: [...typed] })).toMatchObject({ exitCode });
      expect(here.sent('TakeOverLapsAccount')).toHaveLength(calls);
    },
  );

  test('takes the digest of what was shown for a yes, and nothing else', async () => {
    expect(await here.stint(['laps', 'take-over', accountId, '--yes', digest])).toMatchObject({ exitCode: 0 });
    expect(await here.stint(['laps', 'take-over', accountId, '--yes', 'cd'.repeat(32)])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('not what the agent sees now'),
    });
    expect(here.sent('TakeOverLapsAccount')).toEqual([
      { accountId, digest },
      { accountId, digest: 'cd'.repeat(32) },
    ]);
  });

  test('has nothing to do where nothing was found', async () => {
    here.gateway.on('OneLapsAccount', () => ({ lapsAccount: account }));
    expect(await here.stint(['laps', 'take-over', accountId])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Nothing waits'),
    });
  });
});
