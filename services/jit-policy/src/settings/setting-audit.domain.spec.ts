import { expect, test } from '@jest/globals';
import { auditedChanges } from './setting-audit.domain.ts';
import { settingNames, type SettingChange } from './settings.domain.ts';

test('short changes are one event', () => {
  const changes: SettingChange[] = [
    { name: 'passwordLength', old: null, new: 16 },
    { name: 'domainAdminGroups', old: ['A', 'B'], new: null },
  ];
  const details = { 'passwordLength.old': null, 'passwordLength.new': 16, 'domainAdminGroups.old': 'A, B', 'domainAdminGroups.new': null };
  expect(auditedChanges(changes)).toEqual([details]);
  expect(auditedChanges([])).toEqual([]);
});

test('everything at its longest fits into messages of 4 KB, and nothing is left out', () => {
  const long = Array.from({ length: 20 }, (_, at) => `${at}${'管'.repeat(60)}`);
  const events = auditedChanges(settingNames.map((name) => ({ name, old: long, new: long })));
  for (const details of events) expect(Buffer.byteLength(JSON.stringify(details))).toBeLessThan(3_000);
  expect(Object.keys(Object.assign({}, ...events) as object)).toHaveLength(2 * settingNames.length);
});
