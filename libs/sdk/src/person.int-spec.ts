import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { parse } from 'graphql';
import { Authority } from './authority.support.ts';
import { NetworkError, refreshTokenInMemory, StintClient, type RefreshTokens } from './index.ts';

const document = parse('{ viewer { id } }') as TypedDocumentNode<{ viewer: { id: string } }, Record<string, never>>;
const dpopKey = generateKeyPairSync('ed25519').privateKey;

let authority: Authority;
beforeEach(async () => {
  authority = await new Authority(dpopKey).start();
  authority.graphql = () => ({ body: { data: { viewer: { id: '1' } } } });
});
afterEach(() => authority.close());
const person = (refreshTokens: RefreshTokens) =>
  new StintClient({ url: authority.url, credential: { clientId: 'stint-cli', dpopKey, refreshTokens } });

test('requests at the same moment share one refresh, and each refresh brings the next token', async () => {
  const client = person(refreshTokenInMemory('refresh-0'));
  await Promise.all(Array.from({ length: 20 }, () => client.request(document)));
  expect([authority.refreshes, authority.requests]).toEqual([1, 20]);
  authority.forgetTokens();
  await client.request(document);
  expect(authority.refreshes).toBe(2);
});

test('two clients of one store take turns: no token is used twice', async () => {
  const store = refreshTokenInMemory('refresh-0');
  await Promise.all([person(store), person(store), person(store)].map((client) => client.request(document)));
  expect(authority.refreshes).toBe(3);
});

test('the next token is kept before the access token that came with it is used', async () => {
  const steps: string[] = [];
  authority.graphql = () => {
    steps.push('request');
    return { body: { data: { viewer: { id: '1' } } } };
  };
  await person({
    async exchange(renew) {
      const next = await renew('refresh-0');
      await new Promise(setImmediate);
      steps.push(`kept ${next}`);
    },
  }).request(document);
  expect(steps).toEqual(['kept refresh-1', 'request']);
});

test('a store that cannot keep the next token stops the request', async () => {
  const full = person({ exchange: (renew) => renew('refresh-0').then(() => Promise.reject(new Error('disk full'))) });
  await expect(full.request(document)).rejects.toThrow('disk full');
  expect(authority.requests).toBe(0);
});

test('after a lost answer the same token is sent again', async () => {
  const client = person(refreshTokenInMemory('refresh-0'));
  authority.loseAnswers = 1;
  await expect(client.request(document)).rejects.toBeInstanceOf(NetworkError);
  expect(await client.request(document)).toEqual({ viewer: { id: '1' } });
});

test('a session that has ended says what to do', async () => {
  const client = person(refreshTokenInMemory('another'));
  await expect(client.request(document)).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.stringContaining('Sign in again'),
  });
});
