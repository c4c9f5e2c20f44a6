import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import type { Payload } from '@stint/contracts';
import { eventually, redisIsInstalled, type QueueBackend } from '@stint/testing';
import { technicianActor, World, type Computer, type Technician } from '../testing/world.ts';
import { oldId, TestJitPolicy } from '../testing/test-jit-policy.ts';

const hasRedis = redisIsInstalled();
if (!hasRedis) process.stderr.write('SKIPPED: jit-policy`s messages on Redis, because redis-server is not installed.\n');

const backends: QueueBackend[] = ['postgres', ...(hasRedis ? (['redis'] as const) : [])];
describe.each(backends)('messages by %s', (backend) => {
  let service: TestJitPolicy;
  let world: World;
  let msp: Payload<'tenant-changed'>;
  let customer: Payload<'tenant-changed'>;
  let anna: Technician;
  let computer: Computer;

  beforeAll(async () => {
    service = await TestJitPolicy.start(backend);
    world = new World(service);
    msp = await world.tenant(null, 'Northwind');
    customer = await world.tenant(msp);
    anna = await world.technician(msp);
    await service.settled();
    await setTotp(true);
  });
  beforeEach(async () => {
    computer = await world.computer(customer);
    await service.settled();
  });
  afterAll(() => service.close());

  const setTotp = (on: boolean) =>
    world.mutate(technicianActor(msp, 'ADMINISTRATOR'), 'updateJitSettings', '... on Tenant { __typename }', {
      tenantId: customer.tenantId,
      totpLogin: on,
    });
  const accepted = (login: { id: Id }, change: Partial<Payload<'totp-accepted'>> = {}): Payload<'totp-accepted'> => ({
    mspId: msp.mspId,
    tenantId: customer.tenantId,
    loginRequestId: login.id,
    deviceId: computer.actor.id,
    technicianId: anna.actor.id,
    ...change,
  });
  const grantsOf = (loginId: Id) => service.rows<{ id: Id }>('select id from jit_grant where login_request_id = $1', [loginId]);

  describe('copies', () => {
    test('an older message that comes later changes nothing, in whatever order', async () => {
      const versions = [3, 1, 4, 2].map((version) => ({
        ...customer,
        tenantId: customer.tenantId,
        name: `Name ${version}`,
        version: version + 1,
      }));
      for (const message of versions) await service.tell('tenant-changed', message);
      await service.tell(
        'device-changed',
        { ...computer.told, hostName: 'new', version: 3 },
        { ...computer.told, hostName: 'old', version: 2 },
      );
      await service.settled();
      const { content } = await world.start(computer);
      expect(content).toMatchObject({ tenantName: 'Name 4', hostName: 'new' });
    });

    test('a computer before its tenant, the branch before the trunk', async () => {
      const branch = { ...customer, tenantId: oldId(), parentId: customer.tenantId, name: 'Branch', version: 1 };
      branch.path = [...customer.path, branch.tenantId];
      const early = await world.computer(branch);
      await service.settled();
      await service.tell('tenant-changed', branch);
      await service.settled();
      expect((await world.start(early)).content.tenantName).toBe('Branch');
    });

    test('a technician`s new name stands on their accounts', async () => {
      const carl = await world.technician(msp, 'TECHNICIAN', { email: 'carl@example.com', displayName: 'Carl' });
      await service.settled();
      await world.granted(carl, computer);
      await service.tell('technician-changed', { ...carl.told, displayName: 'Carl Newname', version: 2 });
      await service.settled();
      expect((await world.desired(computer)).accounts).toMatchObject([{ displayName: 'Carl Newname' }]);
    });
  });

  describe('a right code from an authenticator app', () => {
    test('approves the login, once, however often its message comes', async () => {
      const login = await world.start(computer, 'TOTP');
      await service.tell('totp-accepted', accepted(login), accepted(login), accepted(login));
      await service.settled();
      expect(await world.login(computer.actor, login.id)).toMatchObject({
        state: 'APPROVED',
        failure: null,
        grant: { accountName: 'jit-annaberg' },
      });
      const [grant] = await grantsOf(login.id);
      expect(await grantsOf(login.id)).toHaveLength(1);
      expect((await world.desired(computer)).accounts).toMatchObject([
        { state: 'ENABLED', grants: [{ grantId: grant?.id, loginRequestId: login.id }] },
      ]);
      expect(await service.audited('login.approved', login.id)).toMatchObject({
        actorKind: 'technician',
        actorId: anna.actor.id,
        tenantId: customer.tenantId,
        details: { method: 'TOTP' },
      });
      await eventually(() => expect(service.nudges).toContain(computer.actor.id));
    });

    test('fails the login of a technician who was switched off meanwhile', async () => {
      const carl = await world.technician(msp);
      const login = await world.start(computer, 'TOTP');
      await service.tell('technician-changed', { ...carl.told, active: false, version: 2 });
      await service.settled();
      await service.tell('totp-accepted', accepted(login, { technicianId: carl.actor.id }));
      await service.settled();
      expect(await world.login(computer.actor, login.id)).toMatchObject({
        state: 'FAILED',
        failure: expect.stringContaining('The technician may not log in here.'),
      });
      expect(await grantsOf(login.id)).toEqual([]);
      expect(await service.audited('login.failed', login.id)).toMatchObject({ actorId: carl.actor.id });
    });

    test('fails the login of a technician of elsewhere', async () => {
      const sibling = await world.tenant(msp, 'Sibling');
      const carl = await world.technician(sibling);
      await service.settled();
      const login = await world.start(computer, 'TOTP');
      await service.tell('totp-accepted', accepted(login, { technicianId: carl.actor.id }));
      await service.settled();
      expect(await world.login(computer.actor, login.id)).toMatchObject({
        state: 'FAILED',
        failure: expect.stringContaining('The technician may not log in here.'),
      });
    });

    test('fails the login when codes were switched off meanwhile', async () => {
      const login = await world.start(computer, 'TOTP');
      await setTotp(false);
      await service.tell('totp-accepted', accepted(login));
      await service.settled();
      await setTotp(true);
      expect(await world.login(computer.actor, login.id)).toMatchObject({
        state: 'FAILED',
        failure: expect.stringContaining('switched off'),
      });
    });

    test('does not replace the scan of a QR', async () => {
      const login = await world.start(computer);
      await service.tell('totp-accepted', accepted(login));
      await service.settled();
      expect(await world.login(computer.actor, login.id)).toMatchObject({ state: 'FAILED', failure: expect.stringContaining('QR') });
      expect(await grantsOf(login.id)).toEqual([]);
    });

    test.each<[string, (own: Computer) => Promise<Partial<Payload<'totp-accepted'>>>]>([
      ['typed at another computer', async () => ({ deviceId: (await other()).actor.id })],
      ['for a login that does not exist', () => Promise.resolve({ loginRequestId: oldId() })],
      ['of another MSP', async () => ({ mspId: (await world.tenant(null, 'Fabrikam')).mspId })],
    ])('%s decides nothing', async (_, change) => {
      const login = await world.start(computer, 'TOTP');
      await service.tell('totp-accepted', accepted(login, await change(computer)));
      await service.settled();
      expect(await world.login(computer.actor, login.id)).toMatchObject({ state: 'PENDING' });
      expect(await grantsOf(login.id)).toEqual([]);
    });

    test('decides nothing after 120 s', async () => {
      const login = await world.start(computer, 'TOTP');
      service.clock.advance(120);
      await service.tell('totp-accepted', accepted(login));
      await service.settled();
      expect(await world.login(computer.actor, login.id)).toMatchObject({ state: 'EXPIRED' });
      expect(await grantsOf(login.id)).toEqual([]);
    });

    test('waits for a technician whose own message is still on its way', async () => {
      const login = await world.start(computer, 'TOTP');
      const fresh = { ...anna.told, technicianId: newId(), email: 'fresh@example.com' };
      await service.tell('totp-accepted', accepted(login, { technicianId: fresh.technicianId }));
      await service.tell('technician-changed', fresh);
      await service.settled();
      expect(await world.login(computer.actor, login.id)).toMatchObject({ state: 'APPROVED', grant: { accountName: 'jit-fresh' } });
    });
  });

  async function other(): Promise<Computer> {
    const made = await world.computer(customer);
    await service.settled();
    return made;
  }
});
