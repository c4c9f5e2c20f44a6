import { describe, expect, test } from '@jest/globals';
import { InvalidArgumentError } from 'commander';
import { sourceGroups } from './source-groups.ts';

const groupId = '11111111-2222-4333-8444-5555555555ab';
const technicianGroupId = '019ab0c0-0000-7000-8000-000000000009';

describe('a group to choose', () => {
  test.each([
    [`${groupId}=${technicianGroupId}`, null],
    [` ${groupId.toUpperCase()}=${technicianGroupId.toUpperCase()}:technician`, 'TECHNICIAN'],
    [`${groupId}=${technicianGroupId}:HELPDESK`, 'HELPDESK'],
    [`${groupId}=${technicianGroupId}:auditor`, 'AUDITOR'],
  ])('%s', (text, role) => {
    expect(sourceGroups(text, undefined)).toEqual([{ groupId, technicianGroupId, role }]);
  });

  test('stands after those before', () => {
    const [first] = sourceGroups(`${groupId}=${technicianGroupId}`, undefined);
    expect(sourceGroups(`${groupId}=${technicianGroupId}:auditor`, first && [first])).toMatchObject([{ role: null }, { role: 'AUDITOR' }]);
  });

  test.each([
    ['', 'It must look like'],
    [groupId, 'It must look like'],
    [`=${technicianGroupId}`, 'It must look like'],
    [`Technicians=${technicianGroupId}`, 'a GUID'],
    [`${groupId}=Technicians`, 'an id'],
    [`${groupId}=${technicianGroupId}:`, 'technician, auditor, helpdesk'],
    // Nobody administers Stint by a group in Entra.
    [`${groupId}=${technicianGroupId}:administrator`, 'technician, auditor, helpdesk'],
  ])('is not %j', (text, said) => {
    const parse = () => sourceGroups(text, undefined);
    expect(parse).toThrow(InvalidArgumentError);
    expect(parse).toThrow(said);
  });
});
