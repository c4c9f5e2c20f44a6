import { expect, test } from '@jest/globals';
import type { DirectoryErrorKind } from './directory-error.ts';
import { failureOf, type CallFacts, type GraphRefusal } from './graph-failure.domain.ts';

const now = new Date('2026-11-23T12:00:00Z');
const secondsAgo = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const refusal: GraphRefusal = {
  status: 400,
  code: 'Request_BadRequest',
  message: '',
  requestId: 'r',
  retryAfterSeconds: null,
  unsent: false,
};
const call: CallFacts = { purpose: 'do it', reads: false, permissions: ['User.ReadWrite.All'] };
const fresh = { user: { id: 'u', createdAt: secondsAgo(299) } };
const old = { user: { id: 'u', createdAt: secondsAgo(301) } };

const gone = {
  status: 404,
  code: 'Request_ResourceNotFound',
  message: "Resource 'u' does not exist or one of its queried reference-property objects are not present.",
};
const denied = { status: 403, code: 'Authorization_RequestDenied', message: 'Insufficient privileges to complete the operation.' };

test.each<[string, Partial<GraphRefusal>, Partial<CallFacts>, DirectoryErrorKind]>([
  ['not there', gone, {}, 'NOT_FOUND'],
  ['not there, made five minutes ago', gone, fresh, 'NOT_YET'],
  ['not there, made longer ago', gone, old, 'NOT_FOUND'],
  ['no valid reference to what is fresh', { message: 'Not a valid reference update.' }, fresh, 'NOT_YET'],
  ['no valid reference to what is old', { message: 'Not a valid reference update.' }, old, 'NOT_FOUND'],
  ['unknown to PIM yet', { status: 404, code: 'SubjectNotFound', message: 'The subject is not found.' }, fresh, 'NOT_YET'],
  ['not allowed', denied, {}, 'FORBIDDEN'],
  ['not allowed just after roles were taken', denied, { user: { id: 'u', createdAt: null, rolesChangedAt: secondsAgo(60) } }, 'NOT_YET'],
  ['not allowed long after roles were taken', denied, { user: { id: 'u', createdAt: null, rolesChangedAt: secondsAgo(400) } }, 'FORBIDDEN'],
  ['name taken', { message: 'Another object with the same value for property userPrincipalName already exists.' }, {}, 'NAME_TAKEN'],
  ['role there', { code: 'RoleAssignmentExists', message: 'The Role assignment already exists.' }, {}, 'ALREADY'],
  [
    'role there, in older words',
    { message: 'A conflicting object with one or more of the specified property values is present in the directory.' },
    {},
    'ALREADY',
  ],
  ['role not there', { code: 'RoleAssignmentDoesNotExist' }, {}, 'NOT_FOUND'],
  ['too soon', { code: 'ActiveDurationTooShort' }, {}, 'TOO_SOON'],
  ['PIM rule', { code: 'RoleAssignmentRequestPolicyValidationFailed', message: '["TicketingRule"]' }, {}, 'POLICY'],
  ['licence', { code: 'AadPremiumLicenseRequired' }, {}, 'LICENCE_MISSING'],
  ['weak password', { message: 'The specified password does not comply with password complexity requirements.' }, {}, 'PASSWORD_REFUSED'],
  ['pass policy', { message: 'Temporary Access Pass is not enabled by the authentication methods policy of the tenant.' }, {}, 'POLICY'],
  ['too many calls', { status: 429, code: 'TooManyRequests' }, {}, 'THROTTLED'],
  ['server error', { status: 503 }, {}, 'UNAVAILABLE'],
  ['no answer', { status: null }, {}, 'UNAVAILABLE'],
  ['two at once', { status: 409 }, {}, 'NOT_YET'],
  ['two at once, in other words', { code: 'Directory_ConcurrencyViolation' }, {}, 'NOT_YET'],
  ['not let in', { status: 401, code: 'InvalidAuthenticationToken' }, {}, 'CREDENTIAL'],
  ['something else', { message: 'Invalid value specified for property displayName.' }, {}, 'INVALID'],
])('%s', (_name, given, facts, kind) => {
  const error = failureOf({ ...refusal, ...given }, { ...call, ...facts }, now);
  expect(error.kind).toBe(kind);
  expect(error.message).toMatch(/^Stint could not do it\. .{10,}/);
});

test.each<[string, Partial<GraphRefusal>, Partial<CallFacts>, boolean]>([
  ['a change without an answer', { status: null }, {}, true],
  ['a change that never left', { status: null, unsent: true }, {}, false],
  ['a change with a server error', { status: 504 }, {}, true],
  ['a change that was refused', { status: 400 }, {}, false],
  ['a change that was throttled', { status: 429 }, {}, false],
  ['a look without an answer', { status: null }, { reads: true }, false],
])('%s may have happened: %#', (_name, given, facts, may) => {
  expect(failureOf({ ...refusal, ...given }, { ...call, ...facts }, now).mayHaveHappened).toBe(may);
});

test('who may not is told which permission would do, and Microsoft is quoted shortly', () => {
  expect(failureOf({ ...refusal, ...denied }, call, now)).toMatchObject({
    permissions: ['User.ReadWrite.All'],
    code: 'Authorization_RequestDenied',
    requestId: 'r',
  });
  expect(failureOf({ ...refusal, message: 'x'.repeat(9_999) }, call, now).message.length).toBeLessThan(400);
});
