import type { User } from '@microsoft/microsoft-graph-types';
import type { UserState } from '../state/state.ts';

// What Graph answers without $select (user resource type, "Properties"): the rest must be asked for.
export const userDefaults = [
  'id',
  'businessPhones',
  'displayName',
  'givenName',
  'jobTitle',
  'mail',
  'mobilePhone',
  'officeLocation',
  'preferredLanguage',
  'surname',
  'userPrincipalName',
] as const;

export const userFilterable = [
  'id',
  'accountEnabled',
  'createdDateTime',
  'department',
  'displayName',
  'employeeId',
  'employeeType',
  'givenName',
  'jobTitle',
  'mail',
  'mailNickname',
  'onPremisesImmutableId',
  'surname',
  'userPrincipalName',
  'userType',
] as const;

/** A user as Graph tells of it. Passwords are never told. */
export function presentUser(user: UserState): User & Record<string, unknown> {
  return {
    id: user.id,
    accountEnabled: user.accountEnabled,
    businessPhones: [],
    createdDateTime: user.createdDateTime,
    deletedDateTime: user.deletedDateTime,
    department: user.department,
    displayName: user.displayName,
    employeeId: user.employeeId,
    employeeType: user.employeeType,
    givenName: user.givenName,
    jobTitle: user.jobTitle,
    lastPasswordChangeDateTime: user.lastPasswordChangeDateTime,
    mail: user.mail,
    mailNickname: user.mailNickname,
    mobilePhone: null,
    officeLocation: null,
    onPremisesImmutableId: user.onPremisesImmutableId,
    onPremisesSyncEnabled: null,
    preferredLanguage: null,
    signInSessionsValidFromDateTime: user.signInSessionsValidFromDateTime,
    surname: user.surname,
    usageLocation: user.usageLocation,
    userPrincipalName: user.userPrincipalName,
    userType: user.userType,
  } satisfies User;
}
