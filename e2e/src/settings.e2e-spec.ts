import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { approvalChallenge } from '@stint/contracts';
import { computerFolders, DemoEndGrantDocument, DemoSettingsDocument, invite, Person, Phone, runAgent } from '@stint/embedded';
import { newId } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { eventually } from '@stint/testing';
import { URI, type TOTP } from 'otpauth';
import { ask } from './sign-in-world.ts';
import { Stint } from './stint.ts';

// What people change in Stint, seen in the computer's own account files. The whole graph runs in this process, the agent is a
// real process on a private copy of /etc. sessionSeconds is in offline.e2e-spec, because 60 s are the shortest session.
let stint: Stint;
let ben: Phone;
beforeAll(async () => {
  stint = await Stint.start({ processes: false });
  const { url } = stint.installation;
  const email = 'ben@northwind.example';
  const link = await invite(stint.administrator, { id: newId(), tenantId: stint.world.mspId, email, roles: ['TECHNICIAN'] });
  ben = new Phone(await Person.join(url, link, { displayName: 'Ben Ort', email }), stint.world.totpUri);
});
afterAll(() => stint.stop());

const set = async (patch: object): Promise<void> => {
  const input = { tenantId: stint.world.tenantId, ...patch };
  expectType((await stint.administrator.request(DemoSettingsDocument, { input })).updateJitSettings, 'Tenant');
};

/** Logs in at the computer by QR code; answers the grant and the account, which is enabled. */
async function logIn(phone: Phone = stint.phone) {
  const terminal = stint.login(['--method', 'qr']);
  const address = await terminal.qrAddress();
  const grantId = await phone.approve(address, await phone.scan(address), 'Printer');
  const { account } = await terminal.result();
  expect(stint.account(account)).toBe('enabled');
  return { grantId, account };
}
async function isOff({ grantId, account }: { grantId: string; account: string }, endReason: string): Promise<void> {
  await eventually(async () => expect(await stint.grant(grantId)).toMatchObject({ state: 'ENDED', endReason }));
  expect(stint.account(account)).toBe('disabled');
}
async function logOff(login: { grantId: string; account: string }): Promise<void> {
  const { state, root } = computerFolders(stint.installation.directory);
  await runAgent(['logoff', login.account, '--state', state, '--root', root]);
  await isOff(login, 'LOGGED_OFF');
}

describe('settings', () => {
  test('accountNamePrefix: accounts that are made from now on have it; one that exists keeps its name', async () => {
    const first = await logIn();
    expect(first.account).toBe('jit-anna');
    await logOff(first);
    await set({ accountNamePrefix: 'adm_' });
    const second = await logIn(ben);
    expect(second.account).toBe('adm_ben');
    await logOff(second);
    const again = await logIn();
    expect(again.account).toBe('jit-anna');
    await logOff(again);
    expect(stint.account('adm_anna')).toBe('absent');
    await set({ accountNamePrefix: null });
  });

  test('technicianLoginMode: all share one account, which goes off with the last of them', async () => {
    await set({ technicianLoginMode: 'SHARED' });
    const anna = await logIn();
    const other = await logIn(ben);
    expect(anna.account).toBe(other.account);
    expect(anna.account).toBe('jit-shared');
    expect([stint.account('jit-anna'), stint.account('adm_ben')]).not.toContain('enabled');
    expectType((await stint.phone.client.request(DemoEndGrantDocument, { input: { id: anna.grantId } })).endGrant, 'Grant');
    await eventually(async () => expect(await stint.grant(anna.grantId)).toMatchObject({ state: 'ENDED' }));
    expect(stint.account(other.account)).toBe('enabled');
    await logOff(other);
    await set({ technicianLoginMode: 'INDIVIDUAL' });
  });

  test('removeNewPrivileged: whoever became an administrator during the session is none after it', async () => {
    const file = `${computerFolders(stint.installation.directory).root}/etc/group`;
    const read = () => readFileSync(file, 'utf8');
    const administrators = () =>
      read()
        .split('\n')
        .filter((line) => /^(sudo|wheel):/.test(line))
        .map((line) => line.split(':')[3]?.split(','));
    const make = () => writeFileSync(file, read().replace(/^((?:sudo|wheel):.*[^:\n])$/m, '$1,nobody'));
    await set({ removeNewPrivileged: true });
    const undone = await logIn();
    make();
    expect(administrators()).toContainEqual(expect.arrayContaining(['nobody']));
    await logOff(undone);
    expect(administrators()).not.toContainEqual(expect.arrayContaining(['nobody']));
    await set({ removeNewPrivileged: false });
    const told = await logIn();
    make();
    await logOff(told);
    expect(administrators()).toContainEqual(expect.arrayContaining(['nobody']));
    await stint.drained();
    expect((await stint.audit()).actions).toContain('grant.privileged-changed');
  });
});

test('pushLogin: the phone is asked, and its number opens the account, only where the setting allows it', async () => {
  const { technician, tenantId } = stint.world;
  const args = ['--method', 'push', '--email', technician.email];
  await expect(stint.login(args).result()).rejects.toThrow('REFUSED');
  await set({ pushLogin: true });
  const terminal = stint.login(args);
  const number = await terminal.shownNumber();
  // The computer cannot tell whether and when somebody is asked: that is decided after its answer.
  const asked = await eventually(async () => {
    const fields = 'id shownNumber hostName tenantName sessionSeconds accountKind device { id }';
    const { waiting } = await ask(stint.phone.client, `{ waiting { logins { ${fields} } } }`);
    const [login] = waiting?.['logins'] as Awaited<ReturnType<Phone['scan']>>[];
    if (login === undefined) throw new Error('The phone was not asked.');
    return login;
  });
  expect(asked.shownNumber).toBeNull();
  const { id, hostName, tenantName, sessionSeconds, accountKind, device } = asked;
  const challenge = approvalChallenge({
    ...{ purpose: 'login', technicianId: technician.technicianId, loginRequestId: id, tenantId, tenantName, hostName, accountKind },
    ...{ deviceId: device?.id ?? '', shownNumber: number, durationSeconds: sessionSeconds, reason: 'Printer', ticket: null },
  });
  expect(stint.account('jit-anna')).not.toBe('enabled');
  const { answer } = await ask(
    stint.phone.client,
    'mutation ($input: ApproveLoginInput!) { answer: approveLogin(input: $input) { __typename ... on Problem { message } } }',
    { input: { id, number, reason: 'Printer', assertion: technician.sign(challenge) } },
  );
  expect(answer).toMatchObject({ __typename: 'LoginRequest' });
  const login = await terminal.result();
  expect(login.account).toBe('jit-anna');
  expect(stint.account('jit-anna')).toBe('enabled');
  await logOff(login);
});

describe('who loses access', () => {
  test('a technician who is taken out of the group that the rule names loses it at once', async () => {
    const { groupId, undo } = await stint.admitOnlyGroupOf(stint.world.technician.technicianId);
    const login = await logIn();
    expect(await stint.change('setGroupMembers', { groupId, technicianIds: [] })).toMatchObject({ __typename: 'Group' });
    await eventually(() => expect(stint.account(login.account)).toBe('disabled'));
    await isOff(login, 'ACCESS_REMOVED');
    await stint.drained();
    await expect(logIn()).rejects.toMatchObject({ type: 'AccessDenied' });
    await undo();
  });

  test('endAllOfTechnician: every account of theirs goes off, and nobody else`s', async () => {
    const anna = await logIn();
    const other = await logIn(ben);
    const { technicianId } = stint.world.technician;
    expect(await stint.change('endAllOfTechnician', { technicianId, reason: 'The phone was stolen.' })).toMatchObject({
      __typename: 'EndedAll',
    });
    await eventually(() => expect(stint.account(anna.account)).toBe('disabled'));
    await isOff(anna, 'REVOKED');
    expect(stint.account(other.account)).toBe('enabled');
    await logOff(other);
  });
});

describe('where a second person must approve', () => {
  const ruleId = newId();
  beforeAll(async () => {
    const rule = { id: ruleId, tenantId: stint.world.tenantId, name: 'Two of us', kinds: ['LOCAL_ADMIN'], approvals: 1 };
    expect(await stint.change('createAccessRule', rule)).toMatchObject({ __typename: 'AccessRule' });
    await set({ requestLifeSeconds: 300 });
  });
  afterAll(() => stint.change('removeAccessRule', { id: ruleId }));

  /** Asks for access by QR code; answers the request as its approver sees it. */
  async function requested() {
    const terminal = stint.login(['--method', 'qr']);
    const address = await terminal.qrAddress();
    const shown = await stint.phone.scan(address);
    await expect(stint.phone.approve(address, shown, 'Printer')).rejects.toThrow('made no grant');
    const { tenant } = await ask(
      stint.administrator,
      'query ($id: ID!) { tenant(id: $id) { accessRequests(first: 1) { edges { node { id state needed expiresAt requestedAt } } } } }',
      { id: stint.world.tenantId },
    );
    const [edge] = (tenant?.['accessRequests'] as { edges: { node: Record<string, string> }[] }).edges;
    expect(edge?.node).toMatchObject({ state: 'PENDING', needed: 1 });
    return { terminal, shown, request: edge?.node as Record<'id' | 'requestedAt' | 'expiresAt', string> };
  }
  async function approve(shown: Awaited<ReturnType<Phone['scan']>>, id: string) {
    const { administrator, technician, tenantId } = stint.world;
    const challenge = approvalChallenge({
      ...{ purpose: 'second-approval', technicianId: technician.technicianId, loginRequestId: shown.id, tenantId, ticket: null },
      ...{ tenantName: shown.tenantName, deviceId: shown.device?.id ?? '', hostName: shown.hostName, accountKind: shown.accountKind },
      ...{ shownNumber: shown.shownNumber ?? '', durationSeconds: shown.sessionSeconds, reason: 'Printer' },
    });
    return stint.change('approveAccess', { id, assertion: administrator.sign(challenge) });
  }

  test('the account is enabled when they have, and not before', async () => {
    const { terminal, shown, request } = await requested();
    expect(stint.account('jit-anna')).not.toBe('enabled');
    expect(await approve(shown, request.id)).toMatchObject({ __typename: 'AccessRequest' });
    const login = await terminal.result();
    expect(login.account).toBe('jit-anna');
    expect(stint.account('jit-anna')).toBe('enabled');
    await logOff(login);
  });

  test('requestLifeSeconds: a request that nobody approved in that time enables nothing any more', async () => {
    const { terminal, shown, request } = await requested();
    expect(Date.parse(request.expiresAt) - Date.parse(request.requestedAt)).toBe(300_000);
    // The time passes.
    for (const [table, id] of Object.entries({ access_request: request.id, login_request: shown.id }))
      await stint.installation.database.query(
        `update jit_policy.${table} set expires_at = expires_at - interval '300 s' where id = '${id}'`,
      );
    expect(await approve(shown, request.id)).toMatchObject({ __typename: 'Conflict' });
    await expect(terminal.result()).rejects.toThrow('EXPIRED');
    expect(stint.account('jit-anna')).not.toBe('enabled');
  });
});

test('totpLogin: a code opens the account only where the setting allows it', async () => {
  // The enrolment used the code of its time: this is of a phone whose clock is 29 s ahead.
  const app = URI.parse(stint.world.totpUri) as TOTP;
  const attempt = async () => {
    const terminal = stint.login(['--method', 'totp', '--email', stint.world.technician.email]);
    terminal.type(app.generate({ timestamp: Date.now() + 29_000 }));
    return terminal.result();
  };
  await set({ totpLogin: false });
  await expect(attempt()).rejects.toThrow('REFUSED');
  expect(stint.account('jit-anna')).not.toBe('enabled');
  await set({ totpLogin: true });
  const login = await attempt();
  expect(login.account).toBe('jit-anna');
  await logOff(login);
});
