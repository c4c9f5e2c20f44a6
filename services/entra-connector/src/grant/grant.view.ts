import { endOf } from './grant.domain.ts';
import type { ShownAccess, ShownCredential } from './grant-access.service.ts';

const exposure =
  'Tokens that Microsoft issued before the end may work for up to an hour where a service does not check continuously (CAE). New ones are not issued.';

/** A credential in GraphQL. */
export function credentialView({ grant, account }: ShownCredential) {
  const { credentialKind: kind, enc, ciphertext, credentialEndsAt: endsAt, notice } = grant;
  return {
    kind,
    accountId: account.id,
    userPrincipalName: account.userPrincipalName,
    enc,
    ciphertext,
    endsAt: endsAt ?? endOf(grant),
    notice,
  };
}

/** Access in Entra in GraphQL. */
export function accessView({ grant, account, steps }: ShownAccess) {
  const { phase, roleName, scope, assignmentKind: assignment, builtInEndsAt, activeAt, endingSince, endedAt, failure, notice } = grant;
  const isOver = endingSince !== null || endedAt !== null;
  return {
    ...{ phase, accountName: account.userPrincipalName, roleName, scope, assignment, builtInEndsAt, activeAt, endingSince, endedAt },
    ...{ stuckSince: endedAt === null ? grant.stuckAt : null, problem: endedAt === null ? account.problem : null, failure, notice },
    ...{ exposure: isOver && activeAt !== null ? exposure : null, steps },
  };
}
