import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DemoEndGrantDocument, DemoLoginDocument } from '@stint/embedded';
import { eventually, redisIsInstalled, startTestRedis, type TestRedis } from '@stint/testing';
import { Stint } from './stint.ts';

// Promise: kill -9 of any process at any step of a login; after its restart the account is in the state that the grant
// says, the outbox is drained and the audit log verifies. Every service and the agent are processes of their own.

type Victim = 'tenants' | 'jit-policy' | 'gateway' | 'agent';

async function killAndRestart(stint: Stint, victim: Victim): Promise<void> {
  if (victim === 'agent') {
    await stint.killComputer();
    await stint.startComputer();
  } else {
    await stint.processes?.kill(victim);
    await stint.processes?.start(victim);
  }
}

const steps = [
  'before the login',
  'the code is shown',
  'the approval is on its way',
  'the access is active',
  'the end is on its way',
  'the access has ended',
] as const;
type Step = (typeof steps)[number];

/** A whole QR login during which `at` is told of each step. */
async function login(stint: Stint, at: (step: Step) => Promise<void>): Promise<void> {
  await at('before the login');
  const terminal = stint.login(['--method', 'qr']);
  const address = await terminal.qrAddress();
  await at('the code is shown');
  const shown = await patiently(() => stint.phone.scan(address));
  // Sent, and not waited for: the process dies with it in any state.
  const approval = stint.phone.approve(address, shown, 'Printer').catch(() => null);
  await at('the approval is on its way');
  await approval;
  await patiently(async () => {
    const { loginRequest } = await stint.phone.client.request(DemoLoginDocument, { id: shown.id });
    if (loginRequest?.state === 'PENDING') await stint.phone.approve(address, shown, 'Printer');
  });
  const active = await terminal.result();
  await at('the access is active');
  expect(stint.account(active.account)).toBe('enabled');
  await patiently(async () => expect((await stint.grant(active.grantId)).state).toBe('ACTIVE'));
  const end = stint.phone.client.request(DemoEndGrantDocument, { input: { id: active.grantId } }).catch(() => null);
  await at('the end is on its way');
  await end;
  await patiently(() => stint.phone.client.request(DemoEndGrantDocument, { input: { id: active.grantId } }));
  await patiently(async () => expect((await stint.grant(active.grantId)).state).toBe('ENDED'));
  await at('the access has ended');
  expect(stint.account(active.account)).toBe('disabled');
}

/** What a person does when something does not answer: try again for a while. */
const patiently = <T>(attempt: () => Promise<T>) => eventually(attempt, { timeoutMs: 45_000 });

async function everythingHolds(stint: Stint): Promise<void> {
  await stint.drained();
  const { verification } = await stint.audit();
  expect(verification).toMatchObject({ intact: true });
}

describe('kill -9', () => {
  let stint: Stint;
  beforeAll(async () => {
    stint = await Stint.start({ processes: true });
  });
  afterAll(() => stint.stop());

  describe.each<Victim>(['tenants', 'jit-policy', 'gateway', 'agent'])('of %s', (victim) => {
    test.each(steps)('when %s', async (step) => {
      await login(stint, async (now) => {
        if (now === step) await killAndRestart(stint, victim);
      });
      await everythingHolds(stint);
    });
  });
});

const hasRedis = redisIsInstalled();
if (!hasRedis) process.stderr.write('SKIPPED: Redis flushed during a login, because redis-server is not installed.\n');

(hasRedis ? describe : describe.skip)('Redis loses everything', () => {
  let redis: TestRedis;
  let stint: Stint;
  beforeEach(async () => {
    redis = await startTestRedis();
    stint = await Stint.start({ processes: true, queueUrl: redis.url });
  });
  afterEach(async () => {
    await stint.stop();
    await redis.stop();
  });

  test('at every step of a login', async () => {
    await login(stint, async () => {
      await redis.flush();
    });
    await redis.flush();
    await everythingHolds(stint);
  });
});
