import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { parse } from 'graphql';
import { Authority } from './authority.support.ts';
import { NetworkError, StintClient, StintError, type Nudge } from './index.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const document = parse('query Name($id: ID) { tenant(id: $id) { name } }') as TypedDocumentNode<
  { tenant: { name: string } },
  { id?: string }
>;

let authority: Authority;
let client: StintClient;
beforeEach(async () => {
  authority = await new Authority(privateKey).start();
  authority.graphql = ({ variables }) => ({ body: { data: { tenant: { name: `Tenant ${String(variables['id'])}` } } } });
  client = new StintClient({ url: `${authority.url}/`, credential: { id: 'credential-1', privateKey } });
});
afterEach(() => authority.close());

describe('signing in', () => {
  test('by client assertion and DPoP, each used once; the token is shared by all requests and renewed by one', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => client.request(document, { id: String(i) })));
    expect(answers.map(({ tenant }) => tenant.name)).toEqual(Array.from({ length: 20 }, (_, i) => `Tenant ${i}`));
    expect(authority.tokensGiven).toBe(1);
  });

  test('sends the operation and its name', async () => {
    let sent: unknown;
    authority.graphql = (body) => {
      sent = body;
      return { body: { data: { tenant: { name: 'x' } } } };
    };
    await client.request(document, { id: '1' });
    expect(sent).toEqual({ query: expect.stringContaining('query Name('), operationName: 'Name', variables: { id: '1' } });
  });

  test('without a credential, sends nothing of the kind', async () => {
    expect(await new StintClient({ url: authority.url }).request(document)).toEqual({ tenant: { name: 'Tenant undefined' } });
    expect(authority.tokensGiven).toBe(0);
  });

  test('gives the nonces that the server wants, at the token endpoint and at GraphQL', async () => {
    authority.tokenNonce = 'nonce-1';
    authority.resourceNonce = 'nonce-2';
    await client.request(document);
    authority.resourceNonce = 'nonce-3';
    await client.request(document);
    expect(authority.tokensGiven).toBe(3);
  });

  test.each([-7200, 7200])('works on a computer whose clock is off by %i seconds', async (seconds) => {
    authority.clockOffsetSeconds = seconds;
    await client.request(document);
    await client.request(document);
    expect(authority.tokensGiven).toBe(1);
  });

  test('takes a new token before the old one ends, and once more when it ended early', async () => {
    authority.tokenSeconds = 0;
    await client.request(document).catch(() => undefined);
    authority.tokenSeconds = 300;
    const before = authority.tokensGiven;
    await client.request(document);
    expect(authority.tokensGiven).toBe(before + 1);
    authority.forgetTokens();
    await client.request(document);
    expect(authority.tokensGiven).toBe(before + 2);
  });

  test('tries only once more: a server that refuses every token is told apart', async () => {
    authority.tokenSeconds = 0;
    await expect(client.request(document)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect([authority.tokensGiven, authority.requests]).toEqual([2, 2]);
  });

  test('a refused credential is a StintError that says what to check', async () => {
    authority.refuseCredential = true;
    const error = await client.request(document).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StintError);
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringContaining('registered and not revoked') });
  });

  test('takes no other kind of key', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    expect(() => new StintClient({ url: authority.url, credential: { id: 'x', privateKey: rsa } })).toThrow('Ed25519');
  });
});

describe('errors', () => {
  test('of GraphQL: code, message, correlation id, and what was answered in spite of them', async () => {
    const extensions = { code: 'FORBIDDEN', correlationId: 'abc' };
    authority.graphql = () => ({ body: { data: { tenant: null }, errors: [{ message: 'No.', path: ['tenant'], extensions }] } });
    const error = await client.request(document).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StintError);
    expect(error).toMatchObject({ ...extensions, message: 'No.', data: { tenant: null } });
  });

  test.each([
    ['a proxy answers with a page', { status: 502, text: '<html>' }],
    ['JSON of another kind', { status: 200, body: [] }],
    ['no data', { status: 200, body: { data: null } }],
  ])('%s: NetworkError', async (_name, answer) => {
    authority.graphql = () => answer;
    await expect(client.request(document)).rejects.toBeInstanceOf(NetworkError);
  });

  test('nobody there: NetworkError with the reason', async () => {
    await authority.close();
    const error = await client.request(document).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NetworkError);
    expect((error as Error).message).toContain('ECONNREFUSED');
    authority = await new Authority(privateKey).start();
  });

  test('no answer in time: NetworkError', async () => {
    authority.graphql = () => ({ hang: true });
    const impatient = new StintClient({ url: authority.url, timeoutMs: 50 });
    await expect(impatient.request(document)).rejects.toMatchObject({ name: 'NetworkError', message: expect.stringContaining('50 ms') });
  });

  test("the caller's abort is the caller's own reason", async () => {
    authority.graphql = () => ({ hang: true });
    const ending = new AbortController();
    const asked = new StintClient({ url: authority.url }).request(document, {}, { signal: ending.signal });
    ending.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });
});

describe('nudges', () => {
  const nextStream = async (count: number) => {
    const end = Date.now() + 5_000;
    while (authority.streams.length < count && Date.now() < end) await new Promise((resolve) => setImmediate(resolve));
    return authority.streams[count - 1];
  };

  test('come through, over lost connections and silent reconnects, until the signal', async () => {
    const ending = new AbortController();
    const nudges = client.nudges(ending.signal);
    const next = async () => (await nudges.next()).value as Nudge | undefined;
    expect(await next()).toBe('connected');
    authority.streams[0]?.write('event: nudge\ndata: {}\n\n');
    expect(await next()).toBe('changed');

    authority.streams[0]?.destroy();
    expect(await next()).toBe('connected');
    authority.streams[1]?.write(':\n\nevent: other\ndata: 1\n\nevent: nu');
    authority.streams[1]?.write('dge\ndata: {}\n\n');
    expect(await next()).toBe('changed');

    const renewed = next();
    authority.streams[1]?.end('event: renew\ndata: {}\n\n');
    expect(await renewed).toBe('connected');
    const last = next();
    ending.abort();
    expect(await last).toBeUndefined();
  });

  test('go on after the server was away', async () => {
    const ending = new AbortController();
    const nudges = client.nudges(ending.signal);
    await nudges.next();
    authority.forgetTokens();
    authority.streams[0]?.destroy();
    expect((await nudges.next()).value).toBe('connected');
    expect(await nextStream(2)).toBeDefined();
    ending.abort();
    expect((await nudges.next()).done).toBe(true);
  });

  test('end when the credential itself is refused', async () => {
    authority.refuseCredential = true;
    await expect(client.nudges(new AbortController().signal).next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
