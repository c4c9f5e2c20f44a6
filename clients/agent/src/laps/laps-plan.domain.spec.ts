import { describe, expect, test } from '@jest/globals';
import type { LapsFinding, SeenLapsAccount } from './laps-driver.ts';
import type { LapsRecord } from './laps-journal.ts';
import { planLaps, type LapsStep } from './laps-plan.domain.ts';
import type { DesiredLapsAccount } from './laps-server.ts';

const finding: LapsFinding = { uid: 1000, lastLogOnAt: null, groups: [], uses: [], digest: 'd1' };
const absent: SeenLapsAccount = { is: 'ABSENT' };
const ours: SeenLapsAccount = { is: 'OURS', uid: 1001, hashDigest: 'h1', inOrder: true };
const foreign: SeenLapsAccount = { is: 'FOREIGN', finding };

const desired: DesiredLapsAccount = {
  ...{ id: 'a', kind: 'LOCAL', name: 'stint-admin', enabled: true, rotate: false, fence: 1, currentVersionId: 'v1', takeOver: null },
  policy: { style: 'CHARACTERS', length: 24, words: 6, unambiguous: true, symbols: true },
};
const record: LapsRecord = { name: 'stint-admin', uid: 1001, held: { versionId: 'v1', hashDigest: 'h1' }, open: null, told: null };
const sealed = { enc: '', ciphertext: '' };
const open: NonNullable<LapsRecord['open']> = {
  ...{ versionId: 'v2', fence: 1, keyId: 'k', forVault: sealed, forUs: sealed, escrowed: false, policy: '' },
  since: { wallMs: 0, bootId: 'b', bootMs: 0 },
};
const rotate = { ...desired, rotate: true };
const fresh = { ...rotate, currentVersionId: null };
const nothing: LapsStep = { do: 'NOTHING' };
const lost: LapsStep = { do: 'ALARM', incident: 'ROLLED_BACK', versionId: null };
const rolledBack: LapsStep = { do: 'ALARM', incident: 'ROLLED_BACK', versionId: 'v1' };
const tampered: LapsStep = { do: 'ALARM', incident: 'TAMPERED', versionId: 'v1' };
const found: LapsStep = { do: 'TELL', problem: null, finding };

type Row = [string, DesiredLapsAccount, SeenLapsAccount, LapsRecord | undefined, string | undefined, LapsStep];
describe('the next step', () => {
  test.each<Row>([
    ['all is well', desired, ours, record, undefined, nothing],
    ['a change is due', rotate, ours, record, undefined, { do: 'ROTATE' }],
    ['the first password', fresh, absent, undefined, undefined, { do: 'ROTATE' }],
    ['the first password must wait', { ...fresh, rotate: false }, absent, undefined, undefined, nothing],
    ['a change is under way', rotate, ours, { ...record, open }, undefined, { do: 'SETTLE' }],
    ['a change is under way, and something happened', rotate, absent, { ...record, open }, undefined, { do: 'SETTLE' }],
    ['somebody else set a password', desired, { ...ours, hashDigest: 'h2' }, record, undefined, tampered],
    ['somebody deleted the account', desired, absent, record, undefined, tampered],
    ['of that the vault knows', rotate, { ...ours, hashDigest: 'h2' }, record, 'TAMPERED v1', { do: 'ROTATE' }],
    ['of that the vault knows, and does not want a change yet', desired, { ...ours, hashDigest: 'h2' }, record, 'TAMPERED v1', nothing],
    ['the vault has another one', { ...desired, currentVersionId: 'v9' }, ours, record, undefined, rolledBack],
    ['the vault has none', { ...desired, currentVersionId: null }, ours, record, undefined, rolledBack],
    ['the journal is gone', desired, ours, undefined, undefined, lost],
    ['of that the vault knows, too', rotate, ours, undefined, 'ROLLED_BACK null', { do: 'ROTATE' }],
    ['it was locked', desired, { ...ours, inOrder: false }, record, undefined, { do: 'ARRANGE' }],
    ['not before its password is ours', { ...fresh, rotate: false }, { ...ours, inOrder: false }, undefined, undefined, nothing],
    ['an account that is not ours', fresh, foreign, undefined, undefined, found],
    ['a yes to another one', { ...fresh, takeOver: 'd0' }, foreign, undefined, undefined, found],
    ['a yes to just that', { ...fresh, takeOver: 'd1' }, foreign, undefined, undefined, { do: 'TAKE_OVER' }],
    ['ours was replaced by one that is not', desired, foreign, { ...record, open }, undefined, found],
    [
      'another LAPS',
      rotate,
      { is: 'REFUSED', problem: 'LAPS4LINUX' },
      record,
      undefined,
      { do: 'TELL', problem: 'LAPS4LINUX', finding: null },
    ],
    [
      'a domain',
      { ...rotate, kind: 'DOMAIN' },
      absent,
      undefined,
      undefined,
      { do: 'TELL', problem: 'This agent cannot keep domain accounts yet.', finding: null },
    ],
  ])('%s', (_, wanted, seen, kept, alarmed, step) => expect(planLaps({ desired: wanted, seen, record: kept, alarmed })).toEqual(step));
});
