import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { publicKeyX } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { StintClient, type Credential } from '@stint/sdk';
import { eventually } from '@stint/testing';
import { ask, SignInWorld } from './sign-in-world.ts';

let world: SignInWorld;
beforeAll(async () => {
  world = await SignInWorld.start();
});
afterAll(() => world.stop());

const key = (): Credential & { x: string } => {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { id: newId(), privateKey, x: publicKeyX(privateKey) };
};
const client = (credential: { id: string; privateKey: KeyObject }) => new StintClient({ url: world.url, credential });
const whoAmI = async (credential: Credential) => (await ask(client(credential), '{ viewer { id } }'))['viewer']?.['id'];
const rotate = async (by: Credential, to: Credential & { x: string }) =>
  (
    await ask(
      client(by),
      'mutation ($input: RotateCredentialInput!) { rotateCredential(input: $input) { __typename ... on CredentialRotation { credentialId } } }',
      { input: { credentialId: to.id, publicKey: to.x } },
    )
  )['rotateCredential'];

test('an API client changes its key: both are good until the new one is used, then it alone', async () => {
  const [first, unused, next] = [key(), key(), key()];
  const input = { id: newId(), clientId: first.id, tenantId: world.mspId, name: 'PSA', publicKey: first.x, permissions: ['tenant.read'] };
  await ask(
    await world.client(world.administrator),
    'mutation ($input: CreateApiClientInput!) { createApiClient(input: $input) { __typename ... on Problem { message } } }',
    { input },
  );
  await rotate(first, unused);
  const rotated = { __typename: 'CredentialRotation', credentialId: next.id };
  // Again, because the answer was lost, is the same; another key takes the place of one that was not used.
  expect([await rotate(first, next), await rotate(first, next)]).toEqual([rotated, rotated]);
  await expect(whoAmI(unused)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect([await whoAmI(first), await whoAmI(next)]).toEqual([input.id, input.id]);
  await eventually(() => expect(whoAmI(first)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' }));
  expect(await whoAmI(next)).toBe(input.id);
  expect((await rotate(next, { ...key(), id: next.id }))?.['__typename']).toBe('Conflict');
});

test('knowing the id of a new key is not using it', async () => {
  const [first, next] = [key(), key()];
  const input = { id: newId(), clientId: first.id, tenantId: world.mspId, name: 'RMM', publicKey: first.x, permissions: ['tenant.read'] };
  await ask(
    await world.client(world.administrator),
    'mutation ($input: CreateApiClientInput!) { createApiClient(input: $input) { __typename } }',
    {
      input,
    },
  );
  await rotate(first, next);
  await expect(whoAmI({ id: next.id, privateKey: key().privateKey })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await whoAmI(first)).toBe(input.id);
});
