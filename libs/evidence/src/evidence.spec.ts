import { beforeAll, describe, expect, test } from '@jest/globals';
import { approvalChallenge, isOfEntra, type ApprovalContent, type EntraApprovalContent, type LoginApprovalContent } from '@stint/contracts';
import { passkeyRegistrationOptions, passkeyRequestOptions, verifyPasskeyRegistration } from '@stint/crypto';
import { PasskeyEmulator, type Attack } from '@stint/passkey-emulator';
import {
  canonicalEvidence,
  verifyEvidence,
  type DeviceEvidence,
  type EntraEvidence,
  type EntraProof,
  type EvidencePerson,
  type LoginProof,
} from './index.ts';

const rpId = 'stint.example.com';
const origin = 'https://stint.example.com';
const anId = (number: number) => `019ab0c0-0000-7000-8000-${String(number).padStart(12, '0')}`;
const second = (number: number) => new Date(Date.UTC(2026, 10, 23, 9, 0, number)).toISOString();

interface Phone {
  person: EvidencePerson;
  emulator: PasskeyEmulator;
  passkey: { id: string; publicKey: string; algorithm: number };
}
let anna: Phone;
let bert: Phone;
let carl: Phone;

async function phone(number: number, displayName: string): Promise<Phone> {
  const person = { id: anId(number), displayName, email: `${displayName.toLowerCase()}@example.com` };
  const user = { id: Buffer.from(person.id), name: person.email, displayName };
  const { challenge, optionsJson } = await passkeyRegistrationOptions({ rpId, user, timeoutSeconds: 300 });
  const emulator = new PasskeyEmulator();
  const registered = await verifyPasskeyRegistration(JSON.stringify(emulator.register(optionsJson, origin)), { challenge, origin, rpId });
  if (!registered.ok) throw new Error(registered.failure);
  return { person, emulator, passkey: registered.passkey };
}

beforeAll(async () => {
  [anna, bert, carl] = await Promise.all([phone(1, 'Anna'), phone(2, 'Bert'), phone(3, 'Carl')]);
});

const shown = (change: Partial<LoginApprovalContent> = {}): LoginApprovalContent => ({
  purpose: 'login',
  technicianId: anna.person.id,
  loginRequestId: anId(10),
  tenantId: anId(11),
  tenantName: 'Contoso Dental',
  deviceId: anId(12),
  hostName: 'ws-07',
  accountKind: 'LOCAL',
  shownNumber: '42',
  durationSeconds: 3600,
  reason: 'Printer',
  ticket: 'T-1',
  ...change,
});

const asked = (change: Partial<EntraApprovalContent> = {}): EntraApprovalContent => ({
  ...{ purpose: 'entra-access', technicianId: anna.person.id, grantId: anId(20), tenantId: anId(11), tenantName: 'Contoso Dental' },
  ...{ roleName: 'User Administrator', scope: '/', accountKind: 'JIT', recipientKey: 'A'.repeat(43), durationSeconds: 3600 },
  ...{ reason: 'Mailbox', ticket: 'T-2' },
  ...change,
});

interface How {
  attack?: Attack;
  at?: string;
}
function signed(by: Phone, content: LoginApprovalContent, how?: How): Promise<LoginProof>;
function signed(by: Phone, content: EntraApprovalContent, how?: How): Promise<EntraProof>;
async function signed(by: Phone, content: ApprovalContent, how: How = {}): Promise<LoginProof | EntraProof> {
  const challenge = approvalChallenge(content).toString('base64url');
  const site = new URL(how.at ?? origin).hostname;
  const { optionsJson } = await passkeyRequestOptions({ rpId: site, challenge, timeoutSeconds: 120 });
  const { response } = by.emulator.sign(optionsJson, how.at ?? origin, how.attack);
  const { authenticatorData, clientDataJSON, signature } = response;
  const { id: passkeyId, publicKey, algorithm } = by.passkey;
  const proof = { by: 'passkey' as const, passkeyId, publicKey, algorithm, authenticatorData, clientDataJSON, signature };
  return isOfEntra(content) ? { ...proof, content } : { ...proof, content };
}

const yes = async (by: Phone, seconds: number, change: Partial<LoginApprovalContent> = {}) => ({
  ...{ approver: by.person, sessionSeconds: seconds, approvedAt: second(5) },
  proof: await signed(by, shown({ purpose: 'second-approval', durationSeconds: seconds, ...change })),
});

async function record(change: (content: DeviceEvidence) => void | Promise<void> = () => undefined): Promise<DeviceEvidence> {
  const content: DeviceEvidence = {
    format: 'stint-grant-evidence/1',
    grant: {
      ...{ id: anId(20), state: 'ENDED', accountName: 'jit-anna', reason: 'Printer', ticket: 'T-1' },
      ...{ approvedAt: second(6), approvedSeconds: 3600 },
    },
    technician: anna.person,
    tenant: { id: anId(11), name: 'Contoso Dental' },
    device: { id: anId(12), hostName: 'ws-07' },
    login: { id: anId(10), method: 'QR', shownNumber: '42', hostName: 'ws-07', tenantName: 'Contoso Dental', startedAt: second(0) },
    rule: { id: anId(30), name: 'Technicians', maxSeconds: 28_800, approvals: 0, approverGroupId: null },
    approval: await signed(anna, shown()),
    secondApprovals: [],
    session: {
      ...{ activeAt: second(10), expiresAt: second(3610), endingAt: null, endedAt: second(1800), endReason: 'LOGGED_OFF' },
      ...{ endedBy: null, failure: null, idleEndSeconds: 600 },
    },
    changes: [],
    privilegedChanges: [],
  };
  await change(content);
  return content;
}

const verdict = async (change?: (content: DeviceEvidence) => void | Promise<void>, options = {}) =>
  verifyEvidence(canonicalEvidence(await record(change)).json, options);

describe('a record', () => {
  test('is the same bytes whatever the order of its fields, and its hash is over them', async () => {
    const content = await record();
    const turned = Object.fromEntries(Object.entries(content).reverse()) as DeviceEvidence;
    expect(canonicalEvidence(turned)).toEqual(canonicalEvidence(content));
    expect(canonicalEvidence(content).json.startsWith('{"approval":{"algorithm":')).toBe(true);
    expect((await verdict()).sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test('proves who signed what they saw, and says what it does not prove', async () => {
    const found = await verdict();
    expect(found).toMatchObject({ intact: true, grantId: anId(20), wrong: [], noticed: [] });
    expect(found.proved).toEqual([
      `The passkey ${anna.passkey.id}, recorded as that of Anna <anna@example.com>, signed exactly this after PIN, fingerprint or face, at ${origin}: number 42, computer ws-07, customer Contoso Dental, an account of the computer, 3600 s, reason "Printer", ticket "T-1".`,
    ]);
    expect(found.notProved.join(' ')).toContain('That this passkey belongs to Anna');
  });

  test('with the approvals of two more people, who shortened it', async () => {
    const found = await verdict(async (content) => {
      content.rule.approvals = 2;
      content.secondApprovals = [await yes(bert, 1800), await yes(carl, 900)];
      content.grant.approvedSeconds = 900;
      content.session.expiresAt = second(910);
    });
    expect(found).toMatchObject({ intact: true, wrong: [] });
    expect(found.proved).toHaveLength(3);
  });

  test.each(['TOTP', 'QR'])('without a signature (%s) says so', async (method) => {
    const found = await verdict((content) => {
      content.login.method = method;
      content.approval = { by: 'unsigned' };
    });
    expect(found).toMatchObject({ intact: true, proved: [] });
    expect(found.notProved[0]).toContain(method === 'TOTP' ? 'one-time code' : 'no signature by a passkey');
  });

  test('must have been signed where the reader says, if they say', async () => {
    expect(await verdict(undefined, { origin })).toMatchObject({ intact: true });
    expect(await verdict(undefined, { origin: 'https://stint.example.org' })).toMatchObject({
      intact: false,
      wrong: ['The signature of Anna <anna@example.com> does not hold (origin).'],
    });
  });

  test('tells what is worth a look', async () => {
    const found = await verdict((content) => {
      content.privilegedChanges = [{ groupName: 'sudo', added: ['mallory'], removed: [] }];
      content.session.endedAt = second(4000);
      content.grant.state = 'END_STUCK';
    });
    expect(found.intact).toBe(true);
    expect(found.noticed).toEqual([
      'The group sudo changed while the session lasted: added mallory',
      "The end was seen 390 s after the session's time was over.",
      'The grant was not over when this record was made: it will change.',
    ]);
  });

  test('of another format, or none, is not believed', async () => {
    for (const text of ['', '{}', 'null', canonicalEvidence(await record()).json.replace('evidence/1', 'evidence/2')])
      expect(await verifyEvidence(text)).toMatchObject({ intact: false, sha256: null });
  });

  test('with other bytes was changed, even where it means the same; a line break at the end is an editor`s', async () => {
    const { json } = canonicalEvidence(await record());
    expect(await verifyEvidence(`${json}\n`)).toMatchObject({ intact: true });
    expect((await verifyEvidence(JSON.stringify(JSON.parse(json), null, 2))).wrong[0]).toContain('not byte for byte');
    expect((await verifyEvidence(json.replace('{"approval":', '{"format":"x","approval":'))).wrong[0]).toContain('not byte for byte');
  });
});

/** What somebody does to a record, and what is found. Every case begins with a record that holds. */
const forgeries: [string, (content: DeviceEvidence) => void | Promise<void>, string][] = [
  ['another reason', ({ grant }) => void (grant.reason = 'Holiday'), 'over another reason'],
  ['another ticket', ({ grant }) => void (grant.ticket = null), 'over another ticket'],
  ['another computer', ({ device }) => void (device.id = anId(99)), 'over another computer'],
  ['another name of the computer', ({ login }) => void (login.hostName = 'dc-01'), "over another computer's name"],
  ['another customer', ({ tenant }) => void (tenant.id = anId(99)), 'over another customer'],
  ['another number', ({ login }) => void (login.shownNumber = '43'), 'over another number'],
  ['another login', ({ login }) => void (login.id = anId(99)), 'over another login'],
  ['another technician', (content) => void (content.technician = bert.person), 'over another technician'],
  ['a longer session', ({ grant }) => void (grant.approvedSeconds = 7200), 'made longer than its technician signed'],
  ['a later end', ({ session }) => void (session.expiresAt = second(5000)), 'may last longer'],
  ['an end before its beginning', ({ session }) => void (session.endedAt = second(3)), 'it ended before the session began'],
  [
    'an extension beyond the rule',
    (content) => void (content.changes = [{ id: anId(50), seconds: 28_800, at: second(60), by: null }]),
    'extended beyond what its rule allows',
  ],
  [
    'what was signed changed along with the record',
    (content) => {
      content.grant.reason = 'Holiday';
      if (content.approval.by === 'passkey') content.approval.content.reason = 'Holiday';
    },
    'does not hold (challenge)',
  ],
  [
    'the signature of another login',
    async (content) => void (content.approval = await signed(anna, shown({ loginRequestId: anId(98) }))),
    'over another login',
  ],
  [
    'a signature without user verification',
    async (content) => void (content.approval = await signed(anna, shown(), { attack: { userVerified: false } })),
    'user-verification',
  ],
  [
    'a foreign signature with the right key beside it',
    async (content) => {
      const foreign = await signed(bert, shown());
      if (content.approval.by === 'passkey' && foreign.by === 'passkey') content.approval.signature = foreign.signature;
    },
    'does not hold (signature)',
  ],
  [
    'an approval that is missing',
    async (content) => {
      content.rule.approvals = 2;
      content.secondApprovals = [await yes(bert, 3600)];
    },
    'demanded 2 further approvals',
  ],
  [
    'the same approver twice',
    async (content) => void (content.secondApprovals = [await yes(bert, 3600), await yes(bert, 3600)]),
    'Somebody approved twice',
  ],
  [
    'one passkey for two people',
    async (content) => void (content.secondApprovals = [{ ...(await yes(anna, 3600)), approver: bert.person }]),
    'same passkey signed for two people',
  ],
  [
    'the technician as approver',
    async (content) => void (content.secondApprovals = [{ ...(await yes(bert, 3600)), approver: anna.person }]),
    'approved their own request',
  ],
  [
    "the technician's own approval as an approver's",
    async (content) => void (content.secondApprovals = [{ ...(await yes(bert, 3600)), proof: await signed(bert, shown()) }]),
    'signed for another purpose',
  ],
  [
    'an approver who approved less',
    async (content) => void (content.secondApprovals = [await yes(bert, 900)]),
    'made longer than Bert approved',
  ],
  [
    'an approval for another duration than was signed',
    async (content) => void (content.secondApprovals = [{ ...(await yes(bert, 900)), sessionSeconds: 3600 }]),
    'signed for another duration',
  ],
];

test.each(forgeries)('a record with %s is found out', async (_, change, expected) => {
  const found = await verdict(change);
  expect(found.intact).toBe(false);
  expect(found.wrong.join(' ')).toContain(expected);
});

test('approvals that were signed at two places are found out', async () => {
  const elsewhere = await phone(4, 'Dora');
  const found = await verdict(async (content) => {
    const approval = await yes(elsewhere, 3600);
    content.secondApprovals = [approval];
    if (approval.proof.by !== 'passkey') return;
    approval.proof = await signed(elsewhere, approval.proof.content, { attack: { origin: 'https://stint.example.com:8443' } });
  });
  expect(found.wrong).toEqual([`The approvals were signed at different places: ${origin}, https://stint.example.com:8443.`]);
});

describe('a record of access in Entra', () => {
  const secondYes = async (by: Phone, seconds: number, change: Partial<EntraApprovalContent> = {}) => ({
    ...{ approver: by.person, sessionSeconds: seconds, approvedAt: second(5) },
    proof: await signed(by, asked({ purpose: 'entra-second-approval', durationSeconds: seconds, ...change })),
  });
  type Change = (content: EntraEvidence) => void | Promise<void>;
  const entraVerdict = async (change: Change = () => undefined) => {
    const { tenantName, roleName, scope, accountKind, recipientKey, reason, ticket } = asked();
    const content: EntraEvidence = {
      format: 'stint-entra-evidence/1',
      grant: {
        ...{ id: anId(20), state: 'ENDED', accountName: 'jit-anna@contoso.example', reason, ticket },
        ...{ approvedAt: second(6), approvedSeconds: 1800 },
      },
      technician: anna.person,
      tenant: { id: anId(11), name: 'Contoso Dental' },
      asked: { at: second(0), tenantName, roleName, scope, accountKind, recipientKey },
      rule: { id: anId(30), name: 'Tenants', maxSeconds: 28_800, approvals: 1, approverGroupId: null },
      approval: await signed(anna, asked()),
      secondApprovals: [await secondYes(bert, 1800)],
      session: {
        ...{ activeAt: second(60), expiresAt: second(1860), endingAt: second(1860), endedAt: second(1870) },
        ...{ endReason: 'EXPIRED', endedBy: null, failure: null },
      },
      changes: [],
    };
    await change(content);
    return verifyEvidence(canonicalEvidence(content).json);
  };

  test('proves who signed which role, scope and customer', async () => {
    const found = await entraVerdict();
    expect(found).toMatchObject({ intact: true, grantId: anId(20), wrong: [], noticed: [] });
    expect(found.proved).toEqual([
      expect.stringContaining(
        'role User Administrator in Entra, everywhere there, customer Contoso Dental, an account of its own, 3600 s, reason "Mailbox", ticket "T-2"',
      ),
      expect.stringContaining('Bert <bert@example.com>'),
    ]);
    expect(found.notProved.join(' ')).toContain('what was seen in Entra');
  });

  test.each<[string, Change, string]>([
    ['another role', ({ asked }) => void (asked.roleName = 'Global Administrator'), 'over another role'],
    ['another scope', ({ asked }) => void (asked.scope = `/${anId(9)}`), 'over another scope'],
    ['another account', ({ asked }) => void (asked.accountKind = 'OWN'), 'over another kind of account'],
    ['another recipient', ({ asked }) => void (asked.recipientKey = 'B'.repeat(43)), 'over another recipient'],
    ['another name of the customer', ({ asked }) => void (asked.tenantName = 'Fabrikam'), "over another customer's name"],
    ['another customer', ({ tenant }) => void (tenant.id = anId(99)), 'over another customer'],
    ['another grant', ({ grant }) => void (grant.id = anId(99)), 'over another grant'],
    ['another reason', ({ grant }) => void (grant.reason = 'Holiday'), 'over another reason'],
    ['a longer session', ({ grant }) => void (grant.approvedSeconds = 3600), 'made longer than Bert approved'],
    ['a later end', ({ session }) => void (session.expiresAt = second(5000)), 'may last longer'],
    ['no second approval', (content) => void (content.secondApprovals = []), 'demanded 1 further approvals'],
    [
      'what was signed changed along with the record',
      ({ asked, approval }) => {
        asked.roleName = 'Global Administrator';
        if (approval.by === 'passkey') approval.content.roleName = 'Global Administrator';
      },
      'does not hold (challenge)',
    ],
    [
      "the technician's own approval as an approver's",
      async (content) => void (content.secondApprovals = [{ ...(await secondYes(bert, 3600)), proof: await signed(bert, asked()) }]),
      'signed for another purpose',
    ],
    [
      'an approval of another role',
      async (content) => void (content.secondApprovals = [await secondYes(bert, 1800, { roleName: 'Helpdesk Administrator' })]),
      'over another role',
    ],
  ])('with %s is found out', async (_, change, expected) => {
    const found = await entraVerdict(change);
    expect(found.intact).toBe(false);
    expect(found.wrong.join(' ')).toContain(expected);
  });
});
