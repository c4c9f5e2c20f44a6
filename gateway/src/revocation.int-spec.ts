import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { eventually, FakeClock } from '@stint/testing';
import { Revocations } from './revocations.ts';
import { startTestGateway, type TestGateway } from './test-gateway.support.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

test('a revoked credential is refused at once, though its token has not ended', async () => {
  const credential = gateway.register('client');
  const client = gateway.client(credential);
  const ask = () => client.request<object, object>(parse('{ __typename }') as never, {});
  await ask();
  gateway.revoke(credential);
  gateway.hints.publish(credential.principal.id, 'credential-revoked');
  await expect(ask()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('the streams of a revoked device end at once', async () => {
  const credential = gateway.register('device');
  const ending = new AbortController();
  const stream = gateway.client(credential).nudges(ending.signal);
  await stream.next();
  gateway.revoke(credential);
  gateway.hints.publish(credential.principal.id, 'credential-revoked');
  // The client comes back with its old credential, and is told.
  await eventually(() => expect(stream.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' }));
  ending.abort();
});

describe('a revocation', () => {
  const clock = new FakeClock();
  const revocations = new Revocations(clock);
  revocations.revoke('one');

  test.each([
    ['one', -60_000, true],
    ['one', 0, true],
    ['one', 1, false],
    ['another', -60_000, false],
  ])('of one covers a token of %s issued %i ms after it: %p', (subject, after, expected) => {
    expect(revocations.covers(subject, clock.now().getTime() + after)).toBe(expected);
  });
});
