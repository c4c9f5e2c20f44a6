import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { newId } from '@stint/kernel';
import type { Nudge } from '@stint/sdk';
import { eventually, FakeClock } from '@stint/testing';
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose';
import { heartbeatSeconds, NudgeStreams } from './nudge-streams.ts';
import { issuedAtClaim } from './oidc-configuration.ts';
import { InMemoryHints, startTestGateway, tenantId, type TestCredential, type TestGateway } from './test-gateway.support.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

function listen(credential: TestCredential): { heard: Nudge[]; stop(): Promise<void> } {
  const heard: Nudge[] = [];
  const ending = new AbortController();
  const done = (async () => {
    for await (const nudge of gateway.client(credential).nudges(ending.signal)) heard.push(nudge);
  })();
  return {
    heard,
    async stop() {
      ending.abort();
      await done;
    },
  };
}

/** The headers of a technician's app. Their token comes from the sign-in, which these tests are not about. */
async function signedInAs(technicianId: string): Promise<Record<string, string>> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const jwk = await exportJWK(publicKey);
  const { keys } = (await (await fetch(`${gateway.url}/oauth/jwks`)).json()) as { keys: { kid: string }[] };
  const token = await new SignJWT({
    principal: { kind: 'technician', id: technicianId, mspId: tenantId, tenantId, access: [], sessionId: newId() },
    cnf: { jkt: await calculateJwkThumbprint(jwk) },
    [issuedAtClaim]: Date.now(),
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: keys[0]?.kid ?? '' })
    .setIssuer(`${gateway.url}/oauth`)
    .setAudience(`${gateway.url}/graphql`)
    .setSubject(technicianId)
    .setIssuedAt()
    .setExpirationTime('60s')
    .setJti(newId())
    .sign(gateway.signingKey);
  const ath = createHash('sha256').update(token).digest('base64url');
  const dpop = await new SignJWT({ htm: 'GET', htu: `${gateway.url}/nudge`, ath, jti: newId() })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'dpop+jwt', jwk })
    .setIssuedAt()
    .sign(privateKey);
  return { authorization: `DPoP ${token}`, dpop };
}

test('a nudge reaches the device that it is for, and no other', async () => {
  const [one, two] = [gateway.register('device'), gateway.register('device')];
  const [first, second] = [listen(one), listen(two)];
  await eventually(() => expect([first.heard, second.heard]).toEqual([['connected'], ['connected']]));
  gateway.hints.publish(one.principal.id);
  gateway.hints.publish(newId());
  gateway.hints.publish(two.principal.id);
  gateway.hints.publish(one.principal.id);
  await eventually(() => expect(first.heard).toEqual(['connected', 'changed', 'changed']));
  expect(second.heard).toEqual(['connected', 'changed']);
  await Promise.all([first.stop(), second.stop()]);
});

test("an open app hears of what waits for its technician, and of nobody else's", async () => {
  const technicianId = newId();
  const ending = new AbortController();
  const { status, body } = await fetch(`${gateway.url}/nudge`, { headers: await signedInAs(technicianId), signal: ending.signal });
  expect(status).toBe(200);
  let heard = '';
  const listening = (async () => {
    for await (const chunk of body ?? []) heard += Buffer.from(chunk as Uint8Array).toString();
  })().catch(() => undefined);
  const nudges = () => heard.match(/^event: nudge$/gm)?.length ?? 0;
  await eventually(() => expect(heard).not.toBe(''));
  gateway.hints.publish(newId(), 'technician-nudge');
  gateway.hints.publish(technicianId, 'technician-nudge');
  await eventually(() => expect(nudges()).toBe(1));
  ending.abort();
  await listening;
});

describe('only devices and technicians get a stream', () => {
  test('not an API client', async () => {
    await expect(gateway.client(gateway.register('client')).nudges(new AbortController().signal).next()).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
  });
  test('nobody without a token', async () => {
    const response = await fetch(`${gateway.url}/nudge`);
    expect([response.status, await response.json()]).toMatchObject([401, { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }]);
  });
});

test('closing the gateway ends its streams at once', async () => {
  const other = await startTestGateway();
  const device = other.register('device');
  const stream = other.client(device).nudges(new AbortController().signal);
  expect((await stream.next()).value).toBe('connected');
  const started = performance.now();
  await other.close();
  expect(performance.now() - started).toBeLessThan(2_000);
  await stream.return();
});

test('a third stream of one device ends its first', async () => {
  const device = gateway.register('device');
  const streams = [listen(device), listen(device), listen(device)];
  await eventually(() => expect(streams.flatMap(({ heard }) => heard).length).toBeGreaterThan(3));
  await Promise.all(streams.map((stream) => stream.stop()));
});

test('every stream gets a comment per round, ends with its token, and a reader that is gone is cut', () => {
  const clock = new FakeClock();
  const source = new InMemoryHints();
  const ticks: (() => void)[] = [];
  const streams = new NudgeStreams(source, clock, (tick) => {
    ticks.push(tick);
    return () => undefined;
  });
  const tick = () => {
    clock.advance(1);
    for (const run of ticks) run();
  };
  const open = (device: string, seconds: number) => {
    const response = new FakeResponse();
    streams.open({ id: device, endsAt: clock.now().getTime() + seconds * 1000 }, response as never);
    return response;
  };
  const [long, short, stuck] = [open('a', 300), open('b', 10), open('c', 300)];
  for (let second = 0; second < heartbeatSeconds; second++) tick();
  expect([long, short, stuck].map(({ written }) => written.filter((text) => text === ':\n\n').length)).toEqual([1, 1, 1]);
  expect(short.ended).toBe(false);
  for (let second = 0; second < heartbeatSeconds; second++) tick();
  expect([long.ended, short.ended]).toEqual([false, true]);
  expect(short.written.at(-1)).toContain('event: renew');
  stuck.writableLength = 100_000;
  source.publish('c');
  expect([stuck.ended, streams.count]).toEqual([true, 1]);
  streams.close();
  expect([long.ended, streams.count]).toEqual([true, 0]);
});

test('a revoked session ends its own streams; a session has at most 4 and a technician 20, the newest', () => {
  const streams = new NudgeStreams(new InMemoryHints(), new FakeClock(), () => () => undefined);
  const open = (session: number) => {
    const response = new FakeResponse();
    streams.open({ id: 'anna', sessionSubject: `session:${session}`, endsAt: Number.MAX_SAFE_INTEGER }, response as never);
    return response;
  };
  const [first, second, other] = [open(1), open(1), open(2)];
  streams.cut('session:1');
  expect([first, second, other].map(({ ended }) => ended)).toEqual([true, true, false]);
  const ofOne = Array.from({ length: 6 }, () => open(3));
  expect(ofOne.map(({ ended }) => ended)).toEqual([true, true, false, false, false, false]);
  for (let session = 4; session < 40; session += 1) open(session);
  expect([other.ended, streams.count]).toEqual([true, 20]);
  streams.close();
});

/** What NudgeStreams uses of a response; the real one is behind the tests above. */
class FakeResponse {
  written: string[] = [];
  ended = false;
  writableLength = 0;
  socket = null;
  #onClose: () => void = () => undefined;

  on(_event: string, run: () => void): void {
    this.#onClose = run;
  }
  writeHead(): void {}
  write(text: string): void {
    this.written.push(text);
  }
  end(text: string): void {
    this.written.push(text);
    this.destroy();
  }
  destroy(): void {
    this.ended = true;
    this.#onClose();
  }
}
