import { badRequest } from '../http/answer.ts';
import { invalidValue } from '../http/call.ts';
import type { TenantState } from '../state/state.ts';

/** At most 64 characters before @, 48 after, and only those that Microsoft allows ("Username policies"). */
export function checkUserPrincipalName(tenant: TenantState, upn: string, immutableId: string | null): void {
  const [name = '', domainName = '', ...more] = upn.split('@');
  const wellFormed = /^[A-Za-z0-9'.\-_!#^~]{1,64}$/.test(name) && !name.startsWith('.') && !name.endsWith('.') && domainName.length <= 48;
  if (!wellFormed || more.length > 0) throw invalidValue('userPrincipalName');
  const domain = tenant.domains.find((one) => one.name === domainName.toLowerCase());
  if (domain === undefined) {
    throw badRequest(
      'The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.',
      {
        target: 'userPrincipalName',
        detail: 'InvalidValue',
      },
    );
  }
  if (domain.authenticationType === 'Federated' && immutableId === null) {
    throw badRequest('Property onPremisesImmutableId is required for users of a federated domain.', {
      target: 'onPremisesImmutableId',
      detail: 'PropertyRequired',
    });
  }
}

/** Nobody else of the tenant may have the name. A deleted user gives its name free. */
export function checkNameIsFree(tenant: TenantState, upn: string, exceptId?: string): void {
  const taken = tenant.users.some(
    (user) => user.id !== exceptId && user.deletedDateTime === null && user.userPrincipalName.toLowerCase() === upn.toLowerCase(),
  );
  if (!taken) return;
  throw badRequest('Another object with the same value for property userPrincipalName already exists.', {
    target: 'userPrincipalName',
    detail: 'ObjectConflict',
  });
}

/** 8 to 256 characters, three kinds of four, ASCII only, and nothing that the tenant has banned ("Password policies"). */
export function checkPassword(tenant: TenantState, password: string): void {
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(password)).length;
  const allowed = password.length >= 8 && password.length <= 256 && kinds >= 3 && /^[\x20-\x7e]+$/.test(password);
  const banned = tenant.bannedPasswords.some((word) => password.toLowerCase().includes(word.toLowerCase()));
  if (allowed && !banned) return;
  throw badRequest(
    banned
      ? 'Unable to update the specified properties: the specified password contains words or characters that can be easily guessed. Please provide a different password.'
      : 'The specified password does not comply with password complexity requirements. Please provide a different password.',
    { target: 'passwordProfile', detail: 'PasswordPolicyViolation' },
  );
}
