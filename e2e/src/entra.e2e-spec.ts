import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DemoEndGrantDocument, entraRole, type EntraRequest, type EntraSignIn } from '@stint/embedded';
import { eventually, redisIsInstalled, startTestRedis, type TestRedis } from '@stint/testing';
import { CommandLine } from './command-line.ts';
import { Stint } from './stint.ts';

// Promise: a role in a customer's Entra tenant is given for a time and taken away, whatever dies on the way: afterwards nothing of it
// is left in Entra, the grant has ENDED and the audit log verifies. Every service is a process of its own; Microsoft is the emulator
// in this one.

type Victim = 'entra-connector' | 'jit-policy' | 'gateway';
type Step = 'it is asked for' | 'it is active' | 'its end is asked for';

/** What a person does when something does not answer: try again for a while. */
const patiently = <T>(attempt: () => Promise<T> | T) => eventually(attempt, { timeoutMs: 60_000 });

const endOf = (stint: Stint, { grantId }: EntraRequest) => stint.phone.client.request(DemoEndGrantDocument, { input: { id: grantId } });

async function active(request: EntraRequest): Promise<EntraSignIn> {
  return patiently(async () => {
    expect((await request.grant()).state).toBe('ACTIVE');
    const signIn = await request.signIn();
    if (signIn === null) throw new Error('No credential yet.');
    return signIn;
  });
}

/** A whole life of access in Entra, during which `at` is told of each step; answers the grant. */
async function access(stint: Stint, at: (step: Step, request: EntraRequest) => Promise<void>): Promise<EntraRequest> {
  const request = await patiently(() => stint.requestRole());
  await at('it is asked for', request);
  const { userPrincipalName: upn, pass } = await active(request);
  await at('it is active', request);
  expect(stint.accessInEntra()).toEqual([entraRole, 'enabled', 'a pass']);
  expect(stint.entra.signIn({ upn, pass })).toMatchObject({ signedIn: true });
  // Sent, and not waited for: what dies has it in any state.
  const end = endOf(stint, request).catch(() => null);
  await at('its end is asked for', request);
  await end;
  await patiently(() => endOf(stint, request));
  await patiently(async () => expect((await request.grant()).state).toBe('ENDED'));
  expect(stint.accessInEntra()).toEqual([]);
  expect(stint.entra.signIn({ upn, pass })).toMatchObject({ signedIn: false });
  return request;
}

async function everythingHolds(stint: Stint): Promise<void> {
  await stint.drained();
  expect(stint.accessInEntra()).toEqual([]);
  // One account, however often it was begun.
  expect(stint.entra.users().length).toBeLessThanOrEqual(1);
  expect((await stint.audit()).verification).toMatchObject({ intact: true });
}

/** SIGKILL and a new start. What a killed connector had taken on is free again when its lease is over: two minutes pass for it. */
async function killAndRestart(stint: Stint, victim: Victim): Promise<void> {
  await stint.processes?.kill(victim);
  if (victim === 'entra-connector') await stint.installation.database.query('update entra_connector.entra_account set lease_until = null');
  await stint.processes?.start(victim);
}

describe('a role in Entra', () => {
  let stint: Stint;
  let configFolder: string;
  beforeAll(async () => {
    stint = await Stint.start({ processes: true, entra: true });
    configFolder = await mkdtemp(join(tmpdir(), 'stint-entra-'));
  });
  afterAll(async () => {
    await stint.stop();
    await rm(configFolder, { recursive: true, force: true });
  });

  test('is given and taken away, and the log tells of each step', async () => {
    const { grantId } = await access(stint, () => Promise.resolve());
    await everythingHolds(stint);
    const { actions } = await stint.audit();
    const steps = ['grant.approved', 'entra-access.given', 'entra-access.credential-collected', 'entra-access.removed', 'grant.ended'];
    expect(steps.filter((step) => !actions.includes(step))).toEqual([]);
    expect((await stint.grant(grantId)).endReason).toBe('REVOKED');
  });

  test.each<Victim>(['jit-policy', 'gateway'])('leaves nothing behind when %s is killed at each step of it', async (victim) => {
    await access(stint, () => killAndRestart(stint, victim));
    await everythingHolds(stint);
  });

  test('leaves nothing behind when the connector is killed after each change in Entra, before it hears of it', async () => {
    const { graph } = stint.installation;
    const killedAt = new Set<string>();
    let restarted = Promise.resolve();
    graph.onExchange = ({ method, url, batched }) => {
      const change = `${method} ${url.replace(/[0-9a-f-]{36}/g, 'id').split('?')[0] ?? ''}`;
      if (method === 'GET' || batched || url.startsWith('/login') || url.endsWith('/$batch') || killedAt.has(change)) return;
      killedAt.add(change);
      // The signal is sent before this returns, and the answer goes out after it.
      restarted = killAndRestart(stint, 'entra-connector');
    };
    try {
      await access(stint, () => restarted);
    } finally {
      graph.onExchange = null;
      await restarted;
    }
    // Made, enabled, pass, role; role off, disabled, pass off, sessions ended: each of them cost a process.
    expect(killedAt.size).toBeGreaterThanOrEqual(6);
    await everythingHolds(stint);
  }, 300_000);

  test('has its credential made anew for the command line; the one from before is worth nothing', async () => {
    const commands = new CommandLine(stint.installation.url, configFolder);
    await commands.run(['sign-in', stint.installation.url], undefined, stint.world.technician);
    const request = await stint.requestRole();
    const before = await active(request);
    const renewed = await commands.json<{ userPrincipalName: string; credential: string }>(['entra', 'credential', request.grantId]);
    const { userPrincipalName: upn } = before;
    expect(renewed.userPrincipalName).toBe(upn);
    expect(stint.entra.signIn({ upn, pass: before.pass })).toMatchObject({ signedIn: false });
    expect(stint.entra.signIn({ upn, pass: renewed.credential })).toMatchObject({ signedIn: true });
    await endOf(stint, request);
    await patiently(async () => expect((await request.grant()).state).toBe('ENDED'));
    await everythingHolds(stint);
  });

  test('ends when the tenant is disconnected, and the account goes, before the credentials are forgotten', async () => {
    const request = await stint.requestRole();
    await active(request);
    expect(await stint.change('disconnectEntra', { tenantId: stint.world.tenantId })).toMatchObject({ __typename: 'EntraConnection' });
    await patiently(async () => expect((await request.grant()).state).toBe('ENDED'));
    await patiently(() => expect(stint.entra.users()).toEqual([]));
    await everythingHolds(stint);
  });
});

const hasRedis = redisIsInstalled();
if (!hasRedis) process.stderr.write('SKIPPED: Redis flushed and away during access in Entra, because redis-server is not installed.\n');

(hasRedis ? describe : describe.skip)('a role in Entra, with a queue that fails', () => {
  let redis: TestRedis;
  let stint: Stint;
  beforeEach(async () => {
    redis = await startTestRedis();
    stint = await Stint.start({ processes: true, queueUrl: redis.url, entra: true });
  });
  afterEach(async () => {
    redis.thaw();
    await stint.stop();
    await redis.stop();
  });

  test('leaves nothing behind when Redis loses everything at each step, and is away while it ends', async () => {
    await access(stint, async (step, request) => {
      if (step !== 'its end is asked for') await redis.flush();
      if (step === 'it is active') redis.freeze();
      if (step !== 'its end is asked for') return;
      await patiently(async () => expect((await request.grant()).state).toBe('ENDING'));
      redis.thaw();
      await redis.flush();
    });
    await everythingHolds(stint);
  });
});
