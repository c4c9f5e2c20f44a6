import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { DemoCreateTenantDocument, DemoGrantDocument, invite, Person, schemas } from '@stint/embedded';
import { newId } from '@stint/kernel';
import { expectType, ProblemError, type StintClient, StintError } from '@stint/sdk';
import { unprotected } from '@stint/testing';
import { Stint } from './stint.ts';

// Through the front door: somebody of another customer, signed in as anybody else, and every operation of the public
// schema that takes an id. (Each service's own isolation test covers `_entities` and the other kinds of caller.)
let stint: Stint;
let stranger: StintClient;
const known = { tenant: '', technician: '', device: '', loginRequest: '', grant: '' };

beforeAll(async () => {
  stint = await Stint.start({ processes: false });
  const { phone, world, administrator, installation } = stint;
  const terminal = stint.login(['--method', 'qr']);
  const address = await terminal.qrAddress();
  const shown = await phone.scan(address);
  Object.assign(known, {
    tenant: world.tenantId,
    technician: world.technician.technicianId,
    loginRequest: shown.id,
    device: shown.device?.id,
    grant: await phone.approve(address, shown, 'Printer'),
  });
  await terminal.result();
  const other = newId();
  expectType(
    (await administrator.request(DemoCreateTenantDocument, { input: { id: other, parentId: world.mspId, name: 'Fabrikam' } })).createTenant,
    'Tenant',
  );
  const email = 'eve@fabrikam.example';
  const link = await invite(administrator, { id: newId(), tenantId: other, email, roles: ['ADMINISTRATOR'] });
  stranger = (await Person.join(installation.url, link, { displayName: 'Eve', email })).client;
});
afterAll(() => stint.stop());

const p = '{ __typename ... on Problem { message } }';
const operations: [keyof typeof known, string][] = [
  ['tenant', 'query ($id: ID!) { answer: tenant(id: $id) { name jitSettings { totpLogin { value } } grants { edges { node { id } } } } }'],
  ['technician', 'query ($id: ID!) { answer: technician(id: $id) { email } }'],
  ['device', 'query ($id: ID!) { answer: device(id: $id) { hostName grants { edges { node { id } } } } }'],
  ['loginRequest', 'query ($id: ID!) { answer: loginRequest(id: $id) { state } }'],
  ['grant', 'query ($id: ID!) { answer: grant(id: $id) { state } }'],
  ['tenant', `mutation ($id: ID!) { answer: renameTenant(input: { id: $id, name: "X" }) ${p} }`],
  ['tenant', `mutation ($id: ID!) { answer: updateJitSettings(input: { tenantId: $id, totpLogin: false }) ${p} }`],
  ['technician', `mutation ($id: ID!) { answer: updateTechnician(input: { id: $id, active: false }) ${p} }`],
  ['device', `mutation ($id: ID!) { answer: revokeDevice(input: { id: $id }) ${p} }`],
  ['grant', `mutation ($id: ID!) { answer: endGrant(input: { id: $id }) ${p} }`],
  ['loginRequest', `mutation ($id: ID!) { answer: denyLogin(input: { id: $id, code: "AAAAAAAAAAAAAAAAAAAAAA" }) ${p} }`],
];

/** What the stranger is told: a problem's type and words, or a refusal's. */
async function told(query: string, id: string): Promise<unknown> {
  try {
    return (await stranger.request<{ answer: unknown }, object>(parse(query) as never, { id })).answer;
  } catch (error) {
    if (error instanceof StintError) return { code: error.code, message: error.message };
    throw error;
  }
}

describe('somebody of another customer', () => {
  test.each(operations)('gets for our %s what anybody gets for nothing at all: %s', async (kind, query) => {
    const answer = await told(query, known[kind]);
    expect(JSON.stringify(answer)).toMatch(/NOT_FOUND|NotFound/);
    expect(answer).toEqual(await told(query, newId()));
  });

  test('changed nothing', async () => {
    expect(await stint.grant(known.grant)).toMatchObject({ state: 'ACTIVE' });
    expect(stint.account('jit-anna')).toBe('enabled');
  });

  test('is refused by the technician’s own door as well', async () => {
    await expect(stranger.request(DemoGrantDocument, { id: known.grant })).rejects.not.toBeInstanceOf(ProblemError);
  });
});

test.each(Object.values(schemas))('every table of %s is protected by the database itself', async (schema) => {
  expect(await unprotected(stint.installation.database, schema)).toEqual([]);
});
