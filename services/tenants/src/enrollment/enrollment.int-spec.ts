import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Actor } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { eventually } from '@stint/testing';
import {
  anonymous,
  createTenant,
  enrollMutation,
  enrollment,
  joinFirst,
  only,
  problem,
  startTestTenants,
  type TestTenants,
} from '../test-tenants.support.ts';

let tenants: TestTenants;
let administrator: Actor;
let customer: Id;
beforeAll(async () => {
  tenants = await startTestTenants();
  ({ administrator } = await joinFirst(tenants));
  customer = await createTenant(tenants, administrator, 'Contoso');
});
afterAll(() => tenants.close());

const issueMutation = `mutation ($input: IssueEnrollmentTokenInput!) { issueEnrollmentToken(input: $input) { ${problem} ... on InvalidInput { field } ... on IssuedEnrollmentToken { token enrollmentToken { usesLeft } } } }`;
const issueInput = (change: object = {}) => ({
  id: newId(),
  tenantId: customer,
  kind: 'WORKSTATION',
  uses: 1,
  lifetimeSeconds: 3600,
  ...change,
});
const issue = async (change: object = {}) =>
  String(only(await tenants.send(administrator, issueMutation, { input: issueInput(change) }))['token']);
const enroll = async (input: object) => only(await tenants.send(anonymous, enrollMutation, { input }));
const deviceOf = (id: Id): Actor => ({ kind: 'device', id, mspId: administrator.mspId, tenantId: customer });

test('a token enrols as many devices as it says, however many try at once', async () => {
  const token = await issue({ uses: 3 });
  const types = (await Promise.all(Array.from({ length: 20 }, () => enroll(enrollment(token))))).map((answer) => answer.__typename);
  expect(types.filter((type) => type === 'DeviceEnrollment')).toHaveLength(3);
  expect(types.filter((type) => type === 'EnrollmentTokenInvalid')).toHaveLength(17);
});

test('the same call again, of an agent that never heard the answer, is the same enrolment', async () => {
  const input = enrollment(await issue());
  const first = await enroll(input);
  expect(await enroll(input)).toEqual(first);
  expect((await enroll({ ...input, publicKey: enrollment('').publicKey })).__typename).toBe('Conflict');
});

test('a computer that is enrolled already is not enrolled twice, until it is revoked', async () => {
  const input = enrollment(await issue());
  await enroll(input);
  const again = { ...enrollment(await issue()), hardwareId: input.hardwareId };
  expect(await enroll(again)).toMatchObject({ __typename: 'Conflict', message: expect.stringContaining('revoke the old device') });
  only(
    await tenants.send(administrator, `mutation ($input: RevokeDeviceInput!) { revokeDevice(input: $input) { ${problem} } }`, {
      input: { id: input.deviceId },
    }),
  );
  expect((await enroll(again)).__typename).toBe('DeviceEnrollment');
  const gone = await tenants.send({ kind: 'gateway' }, 'query ($id: ID!) { credential(id: $id) { id } }', { id: input.credentialId });
  expect(gone.data).toEqual({ credential: null });
});

test.each<[string, () => Promise<string>]>([
  ['unknown', () => Promise.resolve('AAAAAAAAAAAAAAAAAAAAAA')],
  [
    'over',
    async () => {
      const token = await issue({ lifetimeSeconds: 60 });
      tenants.clock.advance(61);
      return token;
    },
  ],
  [
    'revoked',
    async () => {
      const id = newId();
      const token = await issue({ id });
      only(
        await tenants.send(
          administrator,
          `mutation ($input: RevokeEnrollmentTokenInput!) { revokeEnrollmentToken(input: $input) { ${problem} } }`,
          { input: { id } },
        ),
      );
      return token;
    },
  ],
])('a token that is %s enrols nothing', async (_, token) => {
  expect((await enroll(enrollment(await token()))).__typename).toBe('EnrollmentTokenInvalid');
});

test.each([
  ['uses', { uses: 0 }],
  ['uses', { uses: 10_001 }],
  ['lifetimeSeconds', { lifetimeSeconds: 59 }],
  ['lifetimeSeconds', { lifetimeSeconds: 2_592_001 }],
])('a token with wrong %s is refused', async (field, change) => {
  expect(only(await tenants.send(administrator, issueMutation, { input: issueInput(change) }))).toMatchObject({
    __typename: 'InvalidInput',
    field,
  });
});

test.each([
  ['hostName', { hostName: 'a\nb' }],
  ['publicKey', { publicKey: 'short' }],
  ['hardwareId', { hardwareId: 'x' }],
  ['platform', { platform: '' }],
  ['deviceId', { deviceId: '1' }],
])('an enrolment with a wrong %s uses nothing up', async (field, change) => {
  const token = await issue();
  expect(await enroll({ ...enrollment(token), ...change })).toMatchObject({
    __typename: 'InvalidInput',
    message: expect.stringContaining(field),
  });
  expect((await enroll(enrollment(token))).__typename).toBe('DeviceEnrollment');
});

test('a device sees itself, is seen when it checks in, and sees nothing else', async () => {
  const input = enrollment(await issue());
  await enroll(input);
  const device = deviceOf(input.deviceId);
  expect((await tenants.send(device, '{ thisDevice { id hostName tenant { id } } }')).data).toEqual({
    thisDevice: { id: device.id, hostName: 'ws-07', tenant: { id: customer } },
  });
  await eventually(async () => {
    const seen = await tenants.send(administrator, 'query ($id: ID!) { device(id: $id) { lastSeenAt } }', { id: device.id });
    expect(seen.data?.['device']?.['lastSeenAt']).not.toBeNull();
  });
  for (const query of ['{ tenants { pageInfo { hasNextPage } } }', `{ tenant(id: "${customer}") { name } }`]) {
    expect((await tenants.send(device, query)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  }
});
