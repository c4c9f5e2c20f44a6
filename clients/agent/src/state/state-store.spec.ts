import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { agentState, emptyState } from './agent-state.ts';
import { migrated } from './migrations.ts';
import { FileStateStore } from './state-store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stint-state-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = { wallMs: 1_795_000_000_000, bootId: 'b1', bootMs: 1_000 };
const deadline = { sessionMs: 3_600_000, expiresAtMs: null, usedMs: 60_000, checkpoint: at };
const recordV1 = {
  accountId: 'a1',
  name: 'jit-anna',
  uid: 1001,
  grantId: 'g1',
  loginRequestId: 'l1',
  phase: 'ACTIVE',
  since: at,
  deadline,
  endReason: null,
  detail: null,
};
const accountV1 = {
  id: 'a1',
  name: 'jit-anna',
  displayName: 'Anna Berg',
  state: 'ENABLED',
  grantId: 'g1',
  loginRequestId: 'l1',
  sessionSeconds: 3600,
  activateBy: 1_795_000_060_000,
  expiresAt: 1_795_003_600_000,
  passwordLength: 24,
};
const off = { grantId: null, loginRequestId: null, sessionSeconds: null, activateBy: null, expiresAt: null };
const process = { pid: 7, startTicks: '70', bootId: 'b1' };
/** A file as version 1 of the agent wrote it. */
const stateV1 = {
  version: 1,
  desired: { revision: 9, receivedAt: at, accounts: [accountV1, { ...accountV1, id: 'a2', state: 'DISABLED', ...off }] },
  checkInSeconds: 30,
  records: {
    a1: recordV1,
    a2: { ...recordV1, accountId: 'a2', grantId: 'g2', phase: 'ENDED', deadline: null, endReason: 'EXPIRED' },
    a3: { ...recordV1, accountId: 'a3', grantId: null, phase: 'ENDED', deadline: null },
  },
  reports: [{ accountId: 'a2', grantId: 'g2', state: 'DISABLED', name: 'jit-anna', at, endReason: 'EXPIRED', detail: null, revision: 8 }],
  logins: {
    l1: { id: 'l1', method: 'QR', expiresAtMs: 5, startedAt: at, terminal: process, session: process, detached: false },
    l2: { id: 'l2', method: 'TOTP', expiresAtMs: 5, startedAt: at, terminal: process, session: null, detached: true },
  },
};

test('a running session survives the update from version 1: grants, deadlines, logins and reports are kept', () => {
  writeFileSync(join(folder, 'state.json'), JSON.stringify(stateV1));
  const warnings: string[] = [];
  const state = new FileStateStore(folder, (message) => warnings.push(message)).load();
  expect(warnings).toEqual([]);
  expect(state.records['a1']).toMatchObject({
    name: 'jit-anna',
    uid: 1001,
    grants: { g1: { grantId: 'g1', loginRequestId: 'l1', phase: 'ACTIVE', deadline: { ...deadline, revision: 9 }, offline: null } },
  });
  expect(state.records['a2']?.grants['g2']).toMatchObject({ phase: 'ENDED', endReason: 'EXPIRED', deadline: null });
  expect(state.records['a3']?.grants).toEqual({});
  expect(state.desired?.accounts).toMatchObject([
    { id: 'a1', state: 'ENABLED', grants: [{ grantId: 'g1', sessionSeconds: 3600, expiresAt: 1_795_003_600_000 }] },
    { id: 'a2', state: 'DISABLED', grants: [] },
  ]);
  expect(state.logins['l1']?.sessions).toEqual([process]);
  expect(state.logins['l2']?.sessions).toEqual([]);
  expect(state.reports).toMatchObject([{ grantId: 'g2', endReason: 'EXPIRED', privileged: [], revision: 8 }]);
});

test('what was migrated is written and read as version 2, unchanged', () => {
  const state = agentState.parse(migrated(stateV1));
  const store = new FileStateStore(folder, () => undefined);
  store.save(state);
  expect(JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'))).toMatchObject({ version: 2 });
  expect(store.load()).toEqual(state);
  expect(migrated(emptyState())).toEqual(emptyState());
});

test.each([
  ['torn', '{"version":1,'],
  ['of a version from the future', JSON.stringify({ ...emptyState(), version: 3 })],
  ['half of version 1', JSON.stringify({ ...stateV1, records: { a1: { accountId: 'a1' } } })],
])('a file that is %s is set aside, not half believed', (_name, text) => {
  writeFileSync(join(folder, 'state.json'), text);
  const warnings: string[] = [];
  expect(new FileStateStore(folder, (message) => warnings.push(message)).load()).toEqual(emptyState());
  expect(warnings).toHaveLength(1);
  expect(readFileSync(join(folder, 'state.json.unreadable'), 'utf8')).toBe(text);
});
