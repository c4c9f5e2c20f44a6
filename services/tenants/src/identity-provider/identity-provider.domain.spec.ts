import { expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { refuseIssuer, vouchedBy, whoCameBack } from './identity-provider.domain.ts';

test.each([
  ['https://login.example.com', false, true],
  ['https://login.example.com/tenant/v2.0', false, true],
  ['http://login.example.com', false, false],
  ['http://login.example.com', true, false],
  ['http://127.0.0.1:4010', true, true],
  ['http://127.0.0.1:4010', false, false],
  ['http://localhost:4010', true, true],
  ['http://[::1]:4010', true, true],
  ['http://127.0.0.1.example.com', true, false],
  ['http://169.254.169.254/latest', true, false],
  ['http://10.0.0.1', true, false],
  ['file:///etc/passwd', true, false],
  ['https://user:secret@login.example.com', false, false],
  ['https://login.example.com?x=1', false, false],
  ['https://login.example.com#x', false, false],
  ['login.example.com', false, false],
  ['', true, false],
])('the issuer %s (insecure ones allowed: %p): %p', (issuer, allowInsecure, allowed) => {
  expect(refuseIssuer(issuer, allowInsecure) === null).toBe(allowed);
});

test.each([
  [{ email_verified: true }, true],
  [{ email_verified: 'true' }, true],
  [{ xms_edov: true }, true],
  [{ xms_edov: '1' }, true],
  [{ email_verified: false }, false],
  [{ email_verified: 'false' }, false],
  [{ email_verified: 'yes' }, false],
  [{}, false],
])('claims %j are verified: %p', (claims, verified) => {
  expect(vouchedBy({ sub: 's', email: ' Ada@Example.com', ...claims })).toEqual({
    ...{ subject: 's', email: 'ada@example.com', emailVerified: verified },
  });
});

const [anna, bert] = [newId(), newId()];
test.each<[string, Parameters<typeof whoCameBack>, ReturnType<typeof whoCameBack>]>([
  ['bound before', [{ subject: 's', email: null, emailVerified: false }, anna, null], { technicianId: anna, bind: false }],
  [
    'bound before, with the address of somebody else now',
    [{ subject: 's', email: 'b@x', emailVerified: true }, anna, { technicianId: bert, boundAlready: false }],
    { technicianId: anna, bind: false },
  ],
  [
    'new, with a verified address',
    [{ subject: 's', email: 'a@x', emailVerified: true }, null, { technicianId: anna, boundAlready: false }],
    { technicianId: anna, bind: true },
  ],
  [
    'new, with an address that is not verified',
    [{ subject: 's', email: 'a@x', emailVerified: false }, null, { technicianId: anna, boundAlready: false }],
    null,
  ],
  [
    'new, with the address of somebody who is bound to another subject',
    [{ subject: 's', email: 'a@x', emailVerified: true }, null, { technicianId: anna, boundAlready: true }],
    null,
  ],
  ['new, with an address that nobody has', [{ subject: 's', email: 'a@x', emailVerified: true }, null, null], null],
])('who is %s', (_, input, expected) => {
  expect(whoCameBack(...input)).toEqual(expected);
});
