import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Actor } from '@stint/contracts';
import { newId } from '@stint/kernel';
import { PasskeyEmulator, type Attack } from '@stint/passkey-emulator';
import { anonymous, joinBy, joinFirst, only, origin, problem, startTestTenants, type TestTenants } from '../test-tenants.support.ts';

let tenants: TestTenants;
let administrator: Actor;
beforeAll(async () => {
  tenants = await startTestTenants();
});
afterAll(() => tenants.close());

const start = (token: string | undefined, more: object = {}) =>
  tenants
    .send(
      anonymous,
      `mutation ($input: StartJoiningInput!) { startJoining(input: $input) { ${problem} ... on JoiningStarted { optionsJson kind email mspName } } }`,
      { input: { token, ...more } },
    )
    .then(only);
const redeem = (token: string | undefined, registration: string | null, more: object = {}) =>
  tenants
    .send(
      anonymous,
      `mutation ($input: RedeemInvitationInput!) { redeemInvitation(input: $input) { ${problem} ... on InvalidInput { field } } }`,
      {
        input: { token, displayName: 'Anna', registration, ...more },
      },
    )
    .then(only);
const passkeyFor = async (token: string | undefined, attack: Attack = {}) =>
  JSON.stringify(new PasskeyEmulator().register(String((await start(token))['optionsJson']), origin, attack));
async function invite(email = `${newId()}@example.com`) {
  const id = newId();
  const invited = only(
    await tenants.send(
      administrator,
      `mutation ($input: InviteTechnicianInput!) { inviteTechnician(input: $input) { ${problem} ... on Invitation { link } } }`,
      { input: { id, tenantId: administrator.tenantId, email, roles: ['TECHNICIAN'] } },
    ),
  );
  return { id, token: String(invited['link']).split('#')[1] };
}

describe('the first administrator', () => {
  test('is asked for an address and a name, keeps the link until all is right, and joins once', async () => {
    const token = tenants.firstLink.split('#')[1];
    expect(await start(token)).toMatchObject({ kind: 'FIRST_ADMINISTRATOR', email: null, mspName: null });
    const registration = await passkeyFor(token);
    expect(await redeem(token, registration, { mspName: 'Northwind' })).toMatchObject({ __typename: 'InvalidInput', field: 'email' });
    expect(await redeem(token, registration, { email: 'ada@example.com' })).toMatchObject({ __typename: 'InvalidInput', field: 'mspName' });
    ({ administrator } = await joinFirst(tenants));
    expect((await start(token)).__typename).toBe('InvitationInvalid');
    expect((await redeem(token, registration, { email: 'eve@example.com', mspName: 'Evil' })).__typename).toBe('InvitationInvalid');
  });
});

describe('joining by an invitation', () => {
  test('shows who is invited where, and gives one passkey', async () => {
    const { id, token } = await invite('anna@example.com');
    expect(await start(token, { displayName: 'Anna' })).toMatchObject({
      kind: 'INVITATION',
      email: 'anna@example.com',
      mspName: 'Northwind',
    });
    const { answer, phone } = await joinBy(tenants, token);
    expect(answer).toMatchObject({ technician: { id, joined: true, passkeys: [] }, credentialId: phone.passkeys[0]?.credentialId });
    expect(phone.passkeys[0]?.userHandle).toBe(Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url'));
  });

  test.each<[string, Attack]>([
    ['without user verification', { userVerified: false }],
    ['made on another site', { origin: 'https://evil.example' }],
    ['over another challenge', { challenge: 'AAAA' }],
  ])('with a passkey %s is refused, and the link stays good', async (_, attack) => {
    const { token } = await invite();
    expect((await redeem(token, await passkeyFor(token, attack))).__typename).toBe('PasskeyRefused');
    expect((await redeem(token, await passkeyFor(token))).__typename).toBe('SignUp');
  });

  test('takes the passkey that was made for this link, in time', async () => {
    const [one, other] = [await invite(), await invite()];
    expect((await redeem(other.token, await passkeyFor(one.token))).__typename).toBe('PasskeyRefused');
    const late = await passkeyFor(one.token);
    tenants.clock.advance(301);
    expect((await redeem(one.token, late)).__typename).toBe('PasskeyRefused');
    expect((await redeem(one.token, '{}')).__typename).toBe('PasskeyRefused');
  });

  test('lets one of many in', async () => {
    const { token } = await invite();
    const registrations = await Promise.all(Array.from({ length: 20 }, () => passkeyFor(token)));
    const answers = await Promise.all(registrations.map((one) => redeem(token, one)));
    const types = answers.map(({ __typename }) => __typename);
    expect(types.filter((type) => type === 'SignUp')).toHaveLength(1);
    expect(types.filter((type) => type === 'InvitationInvalid')).toHaveLength(19);
  });

  test('is over for somebody who was switched off before', async () => {
    const { id, token } = await invite();
    await tenants.send(administrator, `mutation ($id: ID!) { updateTechnician(input: { id: $id, active: false }) { ${problem} } }`, { id });
    expect((await start(token)).__typename).toBe('InvitationInvalid');
  });
});
