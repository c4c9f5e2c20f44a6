import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isId } from '@stint/kernel';
import { Refused } from '../control-plane/control-plane.ts';
import type { EnrollDeviceInput } from '../generated/operations.ts';
import { createPrivateMachine, type PrivateMachine } from '../testing/private-machine.ts';
import { enroll, type EnrollDevice } from './enroll.ts';
import { readIdentity } from './identity.ts';

let machine: PrivateMachine;
let folder: string;
let asked: EnrollDeviceInput[];

const answers: EnrollDevice = async (_url, input) => {
  asked.push(input);
  return { deviceId: input.deviceId, credentialId: input.credentialId };
};
const options = (change: object = {}) => ({
  url: 'https://stint.example',
  token: 'the-token',
  stateFolder: join(folder, 'state'),
  root: machine.root,
  ...change,
});

beforeEach(() => {
  machine = createPrivateMachine();
  folder = mkdtempSync(join(tmpdir(), 'stint-enroll-'));
  chmodSync(folder, 0o755);
  asked = [];
});
afterEach(() => {
  machine.remove();
  rmSync(folder, { recursive: true, force: true });
});

test('keys are made here, for the owner alone; only their public halves leave', async () => {
  const identity = await enroll(options({ hostName: 'front-desk' }), answers);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ token: 'the-token', hostName: 'front-desk', publicKey: expect.stringMatching(/^[\w-]{43}$/) });
  expect(asked[0]?.hpkeKey).toBe(identity.hpkeKeys.publicKey);
  expect(asked[0]?.hardwareId).toMatch(/^[0-9a-f]{64}$/);
  expect([identity.deviceId, identity.credentialId].every(isId)).toBe(true);
  const state = join(folder, 'state');
  expect(statSync(state).mode & 0o777).toBe(0o700);
  for (const file of readdirSync(state)) {
    expect([file, statSync(join(state, file)).mode & 0o777]).toEqual([file, 0o600]);
    expect(readFileSync(join(state, file), 'utf8')).not.toContain('the-token');
  }
  expect(JSON.stringify(asked)).not.toContain(identity.hpkeKeys.privateKey);
});

test('an answer that never came: the same ids and keys are sent again, until they are confirmed', async () => {
  const lost: EnrollDevice = async (url, input) => {
    await answers(url, input);
    throw new Error('connection lost');
  };
  await expect(enroll(options(), lost)).rejects.toThrow('connection lost');
  expect(readIdentity(join(folder, 'state'))?.confirmed).toBe(false);
  await enroll(options(), answers);
  expect(asked[1]).toEqual(asked[0]);
  expect(readIdentity(join(folder, 'state'))?.confirmed).toBe(true);
  await enroll(options(), answers);
  expect(asked).toHaveLength(2);
});

test('enrolled already elsewhere: says so and asks nobody', async () => {
  await enroll(options(), answers);
  await expect(enroll(options({ url: 'https://other.example' }), answers)).rejects.toThrow(Refused);
  expect(asked).toHaveLength(1);
});

test('ids that the agent did not choose are not accepted', async () => {
  await expect(enroll(options(), async (_url, input) => ({ ...input, deviceId: 'another' }))).rejects.toThrow(/did not choose/);
  expect(readIdentity(join(folder, 'state'))?.confirmed).toBe(false);
});

test('each private root is a computer of its own', async () => {
  await enroll(options(), answers);
  const other = createPrivateMachine();
  await enroll(options({ root: other.root, stateFolder: join(folder, 'other') }), answers);
  other.remove();
  expect(asked[0]?.hardwareId).not.toBe(asked[1]?.hardwareId);
});
