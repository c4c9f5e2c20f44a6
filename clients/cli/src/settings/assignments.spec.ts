import { describe, expect, test } from '@jest/globals';
import { parseAssignments } from './assignments.ts';

describe('settings on the command line', () => {
  test.each([
    [['totpLogin=on'], [], { totpLogin: true }],
    [['totpLogin=false', 'passwordLength=32'], [], { totpLogin: false, passwordLength: 32 }],
    [['accountNamePrefix=adm=x'], [], { accountNamePrefix: 'adm=x' }],
    [['accountNamePrefix='], [], { accountNamePrefix: '' }],
    [[], ['sessionSeconds', 'accountRestDays'], { sessionSeconds: null, accountRestDays: null }],
    [['passwordLength=12'], ['totpLogin'], { passwordLength: 12, totpLogin: null }],
    [['domainLoginMode=prompt', 'technicianLoginMode=SHARED'], [], { domainLoginMode: 'PROMPT', technicianLoginMode: 'SHARED' }],
    [['domainOuPath=<domain>/JIT accounts'], [], { domainOuPath: '<domain>/JIT accounts' }],
    [['domainAdminGroups=Workstation Admins, R=D'], [], { domainAdminGroups: ['Workstation Admins', 'R=D'] }],
    [['domainAdminGroups='], [], { domainAdminGroups: [] }],
  ])('%j and --inherit %j', (assignments, inherited, changes) => {
    expect(parseAssignments(assignments, inherited)).toEqual({ of: 'jit', patch: changes });
  });

  test.each([
    [
      ['lapsLocalEnabled=on', 'lapsLocalAccountName=bg'],
      ['lapsHistoryLength'],
      { localEnabled: true, localAccountName: 'bg', historyLength: null },
    ],
    [['lapsReaderGroups=a,b'], [], { readerGroups: ['a', 'b'] }],
    [['lapsReaderGroups='], [], { readerGroups: [] }],
  ])('of LAPS: %j and --inherit %j', (assignments, inherited, changes) => {
    expect(parseAssignments(assignments, inherited)).toEqual({ of: 'laps', patch: changes });
  });

  test.each([
    [['lapsLocalEnabled=on', 'totpLogin=on'], [], /of their own/],
    [['totpLogin=on'], ['lapsLocalEnabled'], /of their own/],
    [['domainLoginMode=any'], [], /local or domain or prompt/],
    [['laps=1'], [], /no setting/],
    [['localEnabled=on'], [], /no setting/],
    [[], [], /Nothing to change/],
    [['totpLogin'], [], /not of the form/],
    [['=1'], [], /not of the form/],
    [['totpLogin=maybe'], [], /on or off/],
    [['passwordLength=1e3'], [], /whole number/],
    [['passwordLength=-1'], [], /whole number/],
    [['passwordLength='], [], /whole number/],
    [['colour=red'], [], /no setting "colour"/],
    [['tenantId=x'], [], /no setting "tenantId"/],
    [['toString=1'], [], /no setting/],
    [['__proto__=1'], [], /no setting/],
    [[], ['constructor'], /no setting/],
    [['totpLogin=on', 'totpLogin=off'], [], /twice/],
    [['totpLogin=on'], ['totpLogin'], /twice/],
  ])('refuses %j and --inherit %j', (assignments, inherited, rule) => {
    expect(() => parseAssignments(assignments, inherited)).toThrow(rule);
  });
});
