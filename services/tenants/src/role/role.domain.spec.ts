import { describe, expect, test } from '@jest/globals';
import { accessOf, maxAssignments, type Role } from '@stint/contracts';
import { newId } from '@stint/kernel';
import { refuseAssignment, refuseRemoval } from './role.domain.ts';

const [msp, customer, site, other] = [newId(), newId(), newId(), newId()];
const path = [msp, customer, site];

describe('giving a role on a site', () => {
  test.each<[string, { caller: [string, Role][]; role: Role; held?: number }, boolean]>([
    ['an administrator of the MSP gives any', { caller: [[msp, 'ADMINISTRATOR']], role: 'ADMINISTRATOR' }, true],
    ['an administrator of the customer too', { caller: [[customer, 'ADMINISTRATOR']], role: 'ADMINISTRATOR' }, true],
    ['an administrator elsewhere does not', { caller: [[other, 'ADMINISTRATOR']], role: 'HELPDESK' }, false],
    ['an auditor gives no helpdesk', { caller: [[msp, 'AUDITOR']], role: 'HELPDESK' }, false],
    [
      'what is held in two roles adds up',
      {
        caller: [
          [msp, 'AUDITOR'],
          [site, 'HELPDESK'],
        ],
        role: 'HELPDESK',
      },
      true,
    ],
    ['the limit', { caller: [[msp, 'ADMINISTRATOR']], role: 'HELPDESK', held: maxAssignments }, false],
  ])('%s', (_, { caller, role, held = 0 }, allowed) => {
    const access = accessOf(caller.map(([tenantId, own]) => ({ tenantId, role: own })));
    expect(refuseAssignment({ role, access, path, held }) === null).toBe(allowed);
  });
});

test('a role that the user source gives is taken away there', () => {
  const held = { mspId: msp, tenantId: msp, id: newId(), technicianId: newId(), role: 'TECHNICIAN', fromSource: true } as const;
  expect(refuseRemoval(held, 1)).toContain('Entra ID');
});

describe('taking a role away', () => {
  const held = { mspId: msp, id: newId(), technicianId: newId(), fromSource: false };
  test.each<[string, string, Role, number, boolean]>([
    ['the last administrator of the MSP', msp, 'ADMINISTRATOR', 0, false],
    ['one of two administrators of the MSP', msp, 'ADMINISTRATOR', 1, true],
    ['the only administrator of a customer', customer, 'ADMINISTRATOR', 0, true],
    ['a technician', msp, 'TECHNICIAN', 0, true],
  ])('%s', (_, tenantId, role, others, allowed) => {
    expect(refuseRemoval({ ...held, tenantId, role }, others) === null).toBe(allowed);
  });
});
