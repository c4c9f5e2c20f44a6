import { describe, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import type { LapsAccount } from '../account/account.domain.ts';
import { afterTold, type ToldAccount } from './entra-account.domain.ts';

const [now, before] = [new Date('2026-11-29T12:00:00Z'), new Date('2026-11-01T12:00:00Z')];
const [current, unknown] = [newId(), newId()];
const account: LapsAccount = {
  ...{ mspId: newId(), tenantId: newId(), id: newId(), deviceId: null, kind: 'ENTRA', name: 'bg@contoso.com', wanted: true, fence: 3 },
  ...{ dueAt: null, rotateAt: null, problem: null, problemSince: null, finding: null, takeOver: null, incident: null },
  ...{ confirmedAt: before, revealedAt: null, alarmedAt: null, createdAt: before },
};
const told: ToldAccount = { userPrincipalName: 'bg@contoso.com', registered: true, problem: null, versionId: current, tampered: false };

describe('what services/entra-connector tells of an account', () => {
  test.each<[string, Partial<LapsAccount>, Partial<ToldAccount>, Partial<LapsAccount>]>([
    ['all is well', {}, {}, {}],
    ['it has another name', {}, { userPrincipalName: 'new@contoso.com' }, { name: 'new@contoso.com' }],
    ['it is not registered any more', {}, { registered: false }, { wanted: false }],
    ['it is registered again: its password is changed', { wanted: false }, {}, { wanted: true, rotateAt: now }],
    ['a problem', {}, { problem: 'No  consent.' }, { problem: 'No consent.', problemSince: now }],
    ['the same problem again', { problem: 'Old', problemSince: before }, { problem: 'New' }, { problem: 'New', problemSince: before }],
    ['a problem is over', { problem: 'Old', problemSince: before }, {}, { problem: null, problemSince: null }],
    ['somebody has changed the password', {}, { tampered: true }, { incident: `TAMPERED ${current}`, rotateAt: now }],
    [
      'the same again: nothing is new',
      { incident: `TAMPERED ${current}`, rotateAt: before },
      { tampered: true },
      { incident: `TAMPERED ${current}`, rotateAt: before },
    ],
    ['the vault does not know its password: it was restored', {}, { versionId: unknown }, { rotateAt: now }],
    ['no password was set yet', { confirmedAt: null }, { versionId: null }, { confirmedAt: null }],
  ])('%s', (_, change, news, expected) => {
    const next = afterTold({ ...account, ...change }, { ...told, ...news }, new Set([current]), now);
    expect(next).toEqual({ ...account, ...change, ...expected });
  });
});
