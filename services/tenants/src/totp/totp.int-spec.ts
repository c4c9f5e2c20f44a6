import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type TOTP, URI } from 'otpauth';
import { generateSync } from 'otplib';
import type { Actor, Role } from '@stint/contracts';
import { generateHpkeKeyPair, openSealed } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import {
  createTenant,
  enrollDevice,
  joinAs,
  joinFirst,
  only,
  problem,
  startTestTenants,
  type Person as Joined,
  type TestTenants,
} from '../test-tenants.support.ts';

let tenants: TestTenants;
let administrator: Actor;
let first: Joined;
let device: Actor;
let customer: string;
let places: Record<'Fabrikam' | 'Adatum' | 'Tailspin' | 'Wingtip' | 'Litware', string>;
beforeAll(async () => {
  tenants = await startTestTenants();
  ({ administrator, first } = await joinFirst(tenants));
  customer = await createTenant(tenants, administrator, 'Contoso');
  // All of them now: a new tenant's id must carry the present time, and the tests move the clock.
  const place = (name: string) => createTenant(tenants, administrator, name);
  places = {
    Fabrikam: await place('Fabrikam'),
    Adatum: await place('Adatum'),
    Tailspin: await place('Tailspin'),
    Wingtip: await place('Wingtip'),
    Litware: await place('Litware'),
  };
  device = await enrollDevice(tenants, administrator, customer);
});
afterAll(() => tenants.close());

const submitMutation = `mutation ($input: SubmitTotpCodeInput!) { submitTotpCode(input: $input) { ${problem} ... on TotpLocked { retryAt } } }`;
const submit = (email: string, code: string, at: Actor = device) =>
  tenants.send(at, submitMutation, { input: { loginRequestId: newId(), email, code } }).then(only);
const enrollMutation = `mutation ($input: EnrollTotpInput!) { enrollTotp(input: $input) { ${problem} ... on TotpEnrollment { enc ciphertext } } }`;
const confirmMutation = `mutation ($input: ConfirmTotpInput!) { confirmTotp(input: $input) { ${problem} ... on Technician { totpEnrolled } } }`;

interface Person {
  actor: Actor;
  /** The same, who signed in a moment ago. */
  fresh(): Actor;
  email: string;
  /** What the QR code says. */
  uri: string;
  app: TOTP;
  code(): string;
}

/** Invites somebody, lets them join and enrol an ordinary authenticator app. */
async function somebody(email: string, role: Role = 'TECHNICIAN', tenantId = administrator.tenantId): Promise<Person> {
  const { id, actor, fresh } = await joinAs(tenants, administrator, email, role, tenantId);
  const keys = await generateHpkeKeyPair();
  const sealed = only(await tenants.send(fresh(), enrollMutation, { input: { recipientKey: keys.publicKey } })) as unknown as {
    enc: string;
    ciphertext: string;
  };
  const opened = await openSealed({ privateKey: keys.privateKey, info: 'stint-totp-enrollment-v1', aad: id }, sealed);
  const uri = opened.toString();
  const app = URI.parse(uri) as TOTP;
  const code = () => app.generate({ timestamp: tenants.clock.now().getTime() });
  expect(only(await tenants.send(actor, confirmMutation, { input: { code: code() } }))).toEqual({
    __typename: 'Technician',
    totpEnrolled: true,
  });
  tenants.clock.advance(30);
  return { actor, fresh, email, uri, app, code };
}

/** A code that is not the right one now. */
const wrongCode = (person: Person) => (person.code() === '000000' ? '000001' : '000000');

describe('a code', () => {
  test('of an ordinary authenticator app is accepted, and works once', async () => {
    const anna = await somebody('once@example.com');
    expect((await submit(anna.email, anna.code())).__typename).toBe('TotpAccepted');
    expect((await submit(anna.email, anna.code())).__typename).toBe('TotpRefused');
    tenants.clock.advance(30);
    expect((await submit(anna.email, anna.code())).__typename).toBe('TotpAccepted');
  });

  test('typed at fifty computers at once is accepted at one', async () => {
    const anna = await somebody('parallel@example.com');
    const devices = await Promise.all(Array.from({ length: 10 }, () => enrollDevice(tenants, administrator, customer)));
    const code = anna.code();
    const types = await Promise.all(
      devices.flatMap((at) => Array.from({ length: 2 }, () => submit(anna.email, code, at).then((answer) => answer.__typename))),
    );
    expect(types.filter((type) => type === 'TotpAccepted')).toHaveLength(1);
  });

  test('of another library, which knows nothing but what the QR code says, is accepted', async () => {
    const anna = await somebody('second-opinion@example.com');
    const { protocol, host, searchParams } = new URL(anna.uri);
    expect([protocol, host, searchParams.get('algorithm'), searchParams.get('digits'), searchParams.get('period')]).toEqual([
      ...['otpauth:', 'totp', 'SHA1', '6', '30'],
    ]);
    // Its defaults are those of an ordinary authenticator app.
    const code = () => generateSync({ secret: searchParams.get('secret') ?? '', epoch: tenants.clock.now().getTime() / 1000 });
    for (let round = 0; round < 3; round += 1) {
      expect((await submit(anna.email, code())).__typename).toBe('TotpAccepted');
      tenants.clock.advance(30);
    }
  });

  test.each([
    [-29, 'TotpAccepted'],
    [29, 'TotpAccepted'],
    [-30, 'TotpAccepted'],
    [30, 'TotpAccepted'],
    [-90, 'TotpRefused'],
    [90, 'TotpRefused'],
  ])('of a phone whose clock is %i s off: %s', async (seconds, expected) => {
    const at = await enrollDevice(tenants, administrator, customer);
    const anna = await somebody(`drift${seconds}@example.com`);
    tenants.clock.advance(90);
    const code = anna.app.generate({ timestamp: tenants.clock.now().getTime() + seconds * 1000 });
    expect((await submit(anna.email, code, at)).__typename).toBe(expected);
  });

  test.each([
    [-90, 'about 90 seconds behind'],
    [90, 'about 90 seconds ahead'],
    [300, 'about 300 seconds ahead'],
    [-720, 'The code was not accepted'],
  ])('of a phone whose clock is %i s off is refused in words that say so, and counts as wrong', async (seconds, words) => {
    const at = await enrollDevice(tenants, administrator, customer);
    const anna = await somebody(`hint${seconds}@example.com`);
    tenants.clock.advance(1500 - ((tenants.clock.now().getTime() / 1000) % 30) + 15);
    const code = anna.app.generate({ timestamp: tenants.clock.now().getTime() + seconds * 1000 });
    expect(await submit(anna.email, code, at)).toMatchObject({ __typename: 'TotpRefused', message: expect.stringContaining(words) });
    for (let wrong = 1; wrong < 5; wrong += 1) await submit(anna.email, wrongCode(anna), at);
    expect((await submit(anna.email, anna.code(), at)).__typename).toBe('TotpLocked');
  });

  test('that was used before is no sign of a clock that is off', async () => {
    const at = await enrollDevice(tenants, administrator, customer);
    const anna = await somebody('used-before@example.com');
    const code = anna.code();
    expect((await submit(anna.email, code, at)).__typename).toBe('TotpAccepted');
    tenants.clock.advance(90);
    expect((await submit(anna.email, code, at)).message).toContain('was not accepted');
  });

  test.each(['', '12345', '1234567', ' 123456', '١٢٣٤٥٦', '12345\u0000'])('%j is no code', async (code) => {
    const at = await enrollDevice(tenants, administrator, customer);
    expect((await submit('once@example.com', code, at)).__typename).toBe('TotpRefused');
  });

  test('of somebody unknown is refused in the same words', async () => {
    const at = await enrollDevice(tenants, administrator, customer);
    const anna = await somebody('known@example.com');
    const known = await submit(anna.email, wrongCode(anna), at);
    expect(await submit('nobody@example.com', '123456', at)).toEqual(known);
  });

  test('of somebody who is switched off is refused', async () => {
    const at = await enrollDevice(tenants, administrator, customer);
    const anna = await somebody('off@example.com');
    only(
      await tenants.send(administrator, `mutation ($input: UpdateTechnicianInput!) { updateTechnician(input: $input) { ${problem} } }`, {
        input: { id: anna.actor.id, active: false },
      }),
    );
    expect((await submit(anna.email, anna.code(), at)).__typename).toBe('TotpRefused');
  });
});

describe('who may log in by a code', () => {
  test('not an auditor', async () => {
    const at = await enrollDevice(tenants, administrator, customer);
    const olga = await somebody('auditor@example.com', 'AUDITOR');
    expect((await submit(olga.email, olga.code(), at)).__typename).toBe('TotpRefused');
  });

  test('a technician of the customer at its own computers, and not at those of another or of the MSP', async () => {
    const other = places.Fabrikam;
    const carl = await somebody('co-managed@example.com', 'TECHNICIAN', other);
    for (const tenantId of [customer, administrator.tenantId]) {
      const at = await enrollDevice(tenants, administrator, tenantId);
      expect((await submit(carl.email, carl.code(), at)).__typename).toBe('TotpRefused');
    }
    expect((await submit(carl.email, carl.code(), await enrollDevice(tenants, administrator, other))).__typename).toBe('TotpAccepted');
  });

  test('nobody at a computer that was revoked', async () => {
    const at = await enrollDevice(tenants, administrator, customer);
    const anna = await somebody('revoked@example.com');
    await tenants.database.query(`update tenants.device set active = false where id = '${at.id}'`);
    expect((await submit(anna.email, anna.code(), at)).__typename).toBe('TotpRefused');
  });
});

test('a new enrolment counts from its first code on; until then the old one does', async () => {
  const at = await enrollDevice(tenants, administrator, customer);
  const anna = await somebody('new-phone@example.com');
  const keys = await generateHpkeKeyPair();
  const sealed = only(await tenants.send(anna.fresh(), enrollMutation, { input: { recipientKey: keys.publicKey } })) as unknown as {
    enc: string;
    ciphertext: string;
  };
  const uri = await openSealed({ privateKey: keys.privateKey, info: 'stint-totp-enrollment-v1', aad: anna.actor.id }, sealed);
  const phone = URI.parse(uri.toString()) as TOTP;
  const phoneCode = () => phone.generate({ timestamp: tenants.clock.now().getTime() });
  expect((await submit(anna.email, phoneCode(), at)).__typename).toBe('TotpRefused');
  expect((await submit(anna.email, anna.code(), at)).__typename).toBe('TotpAccepted');
  const wrong = phoneCode() === '000000' ? '000001' : '000000';
  expect(only(await tenants.send(anna.actor, confirmMutation, { input: { code: wrong } })).__typename).toBe('TotpRefused');
  expect(only(await tenants.send(anna.actor, confirmMutation, { input: { code: phoneCode() } })).__typename).toBe('Technician');
  expect((await submit(anna.email, phoneCode(), at)).__typename).toBe('TotpRefused'); // used up by the confirmation
  tenants.clock.advance(30);
  expect((await submit(anna.email, anna.code(), at)).__typename).toBe('TotpRefused');
  expect((await submit(anna.email, phoneCode(), at)).__typename).toBe('TotpAccepted');
});

test('codes for an enrolment are limited like others', async () => {
  const anna = await somebody('confirm-limit@example.com');
  const keys = await generateHpkeKeyPair();
  only(await tenants.send(anna.fresh(), enrollMutation, { input: { recipientKey: keys.publicKey } }));
  const types = await Promise.all(
    Array.from({ length: 20 }, () =>
      tenants.send(anna.actor, confirmMutation, { input: { code: 'wrong!' } }).then((answer) => only(answer).__typename),
    ),
  );
  expect(types.filter((type) => type === 'TotpRefused')).toHaveLength(5);
  expect(types.filter((type) => type === 'TotpLocked')).toHaveLength(15);
});

test('what came of a try is told to jit-policy and to the audit log, without the code and the address', async () => {
  const place = places.Adatum;
  const at = await enrollDevice(tenants, administrator, place);
  const anna = await somebody('told@example.com');
  await submit('stranger@example.com', '654321', at);
  for (let wrong = 0; wrong < 5; wrong += 1) await submit(anna.email, wrongCode(anna), at);
  tenants.clock.advance(31);
  const code = anna.code();
  const loginRequestId = newId();
  only(await tenants.send(at, submitMutation, { input: { loginRequestId, email: anna.email, code } }));
  const outbox = await tenants.database.query<{ payload: object }>(
    `select payload from tenants.outbox where type = 'totp-accepted' and payload->>'deviceId' = '${at.id}'`,
  );
  expect(outbox.map(({ payload }) => payload)).toEqual([
    { mspId: at.mspId, tenantId: place, loginRequestId, deviceId: at.id, technicianId: anna.actor.id },
  ]);
  const events = await eventually(async () => {
    const query = `query ($id: ID!) { tenant(id: $id) { auditLog(first: 100) { edges { node { actorKind actorId action subjectId details } } } } }`;
    const tenant = only(await tenants.send(administrator, query, { id: place })) as unknown as { auditLog: { edges: { node: Told }[] } };
    const told = tenant.auditLog.edges.map(({ node }) => node).filter(({ action }) => action.startsWith('totp.'));
    expect(told).toHaveLength(7);
    return told;
  });
  // The consumer may take messages in another order than they were written.
  const tally = events.map(({ action, actorKind, actorId }) => `${action} ${actorKind} ${actorId}`).sort();
  expect(tally).toEqual([
    `totp.accepted technician ${anna.actor.id}`,
    `totp.locked device ${at.id}`,
    ...Array.from({ length: 5 }, () => `totp.refused device ${at.id}`),
  ]);
  expect(events.find(({ action }) => action === 'totp.accepted')?.subjectId).toBe(loginRequestId);
  const text = JSON.stringify(events);
  for (const secret of [code, '654321', anna.email, 'stranger']) expect(text).not.toContain(secret);
});

interface Told {
  actorKind: string;
  actorId: string;
  action: string;
  subjectId: string;
  details: string;
}

describe('the sixth try after five wrong ones is locked', () => {
  let anna: Person;
  let at: Actor;
  const prepare = async (email: string) => {
    anna = await somebody(email);
    at = await enrollDevice(tenants, administrator, customer);
  };

  test('one after the other, and opens again after the delay', async () => {
    await prepare('row@example.com');
    for (let wrong = 0; wrong < 5; wrong += 1) expect((await submit(anna.email, wrongCode(anna), at)).__typename).toBe('TotpRefused');
    const locked = await submit(anna.email, anna.code(), at);
    expect(locked).toMatchObject({ __typename: 'TotpLocked', retryAt: new Date(tenants.clock.now().getTime() + 30_000).toISOString() });
    tenants.clock.advance(31);
    expect((await submit(anna.email, anna.code(), at)).__typename).toBe('TotpAccepted');
  });

  test('as a hundred aliases of one request', async () => {
    await prepare('alias@example.com');
    const wrong = wrongCode(anna);
    const fields = Array.from(
      { length: 100 },
      (_, index) =>
        `t${index}: submitTotpCode(input: { loginRequestId: "${newId()}", email: "${anna.email}", code: "${wrong}" }) { __typename }`,
    );
    const answer = await tenants.send(at, `mutation { ${fields.join(' ')} }`);
    const types = Object.values(answer.data ?? {}).map((value) => value.__typename);
    expect(types.filter((type) => type === 'TotpRefused')).toHaveLength(5);
    expect(types.filter((type) => type === 'TotpLocked')).toHaveLength(95);
  });

  test('as a hundred requests at once', async () => {
    await prepare('flood@example.com');
    const wrong = wrongCode(anna);
    const types = await Promise.all(Array.from({ length: 100 }, () => submit(anna.email, wrong, at).then((answer) => answer.__typename)));
    expect(types.filter((type) => type === 'TotpRefused')).toHaveLength(5);
    expect((await submit(anna.email, anna.code(), at)).__typename).toBe('TotpLocked');
  });

  test('and locks nobody out at another computer', async () => {
    await prepare('elsewhere@example.com');
    for (let wrong = 0; wrong < 6; wrong += 1) await submit(anna.email, wrongCode(anna), at);
    expect((await submit(anna.email, anna.code(), await enrollDevice(tenants, administrator, customer))).__typename).toBe('TotpAccepted');
  });

  test('a computer at which many addresses are tried is locked too', async () => {
    await prepare('spray@example.com');
    for (let who = 0; who < 20; who += 1) await submit(`guess${who}@example.com`, '123456', at);
    expect((await submit(anna.email, anna.code(), at)).__typename).toBe('TotpLocked');
  });
});

describe('a spray', () => {
  /** Types a wrong code so often at each of so many new computers of the tenant. */
  const spray = async (tenantId: string, computers: number, each: number, address: (index: number) => string) => {
    const devices = await Promise.all(Array.from({ length: computers }, () => enrollDevice(tenants, administrator, tenantId)));
    for (let index = 0; index < each; index += 1) await Promise.all(devices.map((at) => submit(address(index), 'wrong!', at)));
  };

  test('over many computers slows the guessing of one technician', async () => {
    const anna = await somebody('over-computers@example.com');
    await spray(customer, 13, 4, () => anna.email);
    expect((await submit(anna.email, anna.code(), await enrollDevice(tenants, administrator, customer))).__typename).toBe('TotpLocked');
  });

  test('over many people and computers is slowed in the whole tenant, and in no other', async () => {
    const place = places.Tailspin;
    const anna = await somebody('over-people@example.com');
    await spray(place, 11, 19, (index) => `somebody${index}@example.com`);
    expect((await submit(anna.email, anna.code(), await enrollDevice(tenants, administrator, place))).__typename).toBe('TotpLocked');
    const elsewhere = await enrollDevice(tenants, administrator, places.Wingtip);
    expect((await submit(anna.email, anna.code(), elsewhere)).__typename).toBe('TotpAccepted');
  });

  test('of a locked computer leaves nothing behind and does not make the lock longer', async () => {
    const at = await enrollDevice(tenants, administrator, places.Litware);
    for (let who = 0; who < 20; who += 1) await submit(`some${who}@example.com`, '123456', at);
    const rows = () =>
      tenants.database.query(
        `select subject, failures, locked_until from tenants.totp_failures where tenant_id = '${at.tenantId}' order by 1`,
      );
    const before = await rows();
    const answers = await Promise.all(Array.from({ length: 50 }, (_, who) => submit(`more${who}@example.com`, '123456', at)));
    expect(answers.every((answer) => answer.__typename === 'TotpLocked')).toBe(true);
    expect(await rows()).toEqual(before);
  });
});

test('an unknown address is locked like a known one, by a right code too', async () => {
  const at = await enrollDevice(tenants, administrator, customer);
  const anna = await somebody('like-known@example.com');
  for (let wrong = 0; wrong < 5; wrong += 1) await submit(anna.email, 'wrong!', at);
  for (let wrong = 0; wrong < 5; wrong += 1) await submit('like-unknown@example.com', 'wrong!', at);
  expect(await submit('like-unknown@example.com', '123456', at)).toEqual(await submit(anna.email, anna.code(), at));
});

test('no seed stands in the database or in an answer', async () => {
  const anna = await somebody('canary@example.com');
  const [row] = await tenants.database.query<{ seed: Buffer }>(`select seed from tenants.totp where id = '${anna.actor.id}'`);
  expect(row?.seed.includes(Buffer.from(anna.app.secret.buffer))).toBe(false);
  const keys = await generateHpkeKeyPair();
  const answer = await tenants.send(anna.fresh(), enrollMutation, { input: { recipientKey: keys.publicKey } });
  expect(JSON.stringify(answer)).not.toContain('otpauth');
});

test('a recipient key that is none is refused, and a code without an enrolment too', async () => {
  expect(only(await tenants.send(first.fresh(), enrollMutation, { input: { recipientKey: 'x' } })).__typename).toBe('InvalidInput');
  expect(only(await tenants.send(administrator, confirmMutation, { input: { code: '123456' } })).__typename).toBe('Conflict');
});

test('enrolling takes a passkey that was proved within the last 5 minutes', async () => {
  const { publicKey } = await generateHpkeKeyPair();
  const { actor } = await somebody('fresh@example.com');
  const secondsAgo = (seconds: number) => new Date(tenants.clock.now().getTime() - seconds * 1000).toISOString();
  const enroll = async (more: object) =>
    only(await tenants.send({ ...actor, sessionId: newId(), ...more } as Actor, enrollMutation, { input: { recipientKey: publicKey } }))
      .__typename;
  expect(await enroll({})).toBe('SignInTooOld');
  expect(await enroll({ signedInAt: secondsAgo(301) })).toBe('SignInTooOld');
  expect(await enroll({ signedInAt: secondsAgo(299) })).toBe('TotpEnrollment');
});
