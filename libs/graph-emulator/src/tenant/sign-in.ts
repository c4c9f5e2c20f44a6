import type { UserState, PassState, TenantState } from '../state/state.ts';
import { hash, type Store } from '../state/store.ts';
import { groupsOf, rolesOf } from '../roles/role-holding.ts';
import { passEnd, usability } from '../passes/pass-routes.ts';

/** Somebody who signs in at a portal of Microsoft. */
export interface SignIn {
  upn: string;
  password?: string;
  pass?: string;
}

/** How a sign-in ended. Numbers are those of AADSTS errors; `sessionEndsAt` null: as long as a session lasts. */
export type SignInResult =
  | { signedIn: true; userId: string; roleDefinitionIds: string[]; sessionEndsAt: Date | null }
  | {
      signedIn: false;
      error: number;
      reason: 'UNKNOWN_USER' | 'DISABLED' | 'WRONG_CREDENTIAL' | 'EXPIRED' | 'USED' | 'NOT_IN_POLICY' | 'MFA_REQUIRED';
    };

const failed = (error: number, reason: Extract<SignInResult, { signedIn: false }>['reason']): SignInResult => ({
  signedIn: false,
  error,
  reason,
});

/** Plays a sign-in at a portal, against what is, not against what reads see yet. */
export function signIn(store: Store, tenant: TenantState, { upn, password, pass }: SignIn): SignInResult {
  const user = tenant.users.find((one) => one.deletedDateTime === null && one.userPrincipalName.toLowerCase() === upn.toLowerCase());
  if (user === undefined) return failed(50034, 'UNKNOWN_USER');
  if (!user.accountEnabled) return failed(50057, 'DISABLED');
  const signedIn = (sessionEndsAt: Date | null): SignInResult => ({
    ...{ signedIn: true, userId: user.id, roleDefinitionIds: [...rolesOf(store, tenant, user.id)], sessionEndsAt },
  });
  if (pass !== undefined) {
    const found = tenant.passes.find((one) => one.userId === user.id && one.valueHash === hash(pass));
    const wrong = found === undefined ? failed(50126, 'WRONG_CREDENTIAL') : refusePass(store, tenant, user, found);
    if (wrong !== null || found === undefined) return wrong ?? failed(50126, 'WRONG_CREDENTIAL');
    found.usedAt = store.nowIso();
    store.save();
    return signedIn(passEnd(found));
  }
  if (password === undefined || hash(password) !== user.passwordHash) return failed(50126, 'WRONG_CREDENTIAL');
  return tenant.mfaAtPortals && !user.mfaRegistered ? failed(50076, 'MFA_REQUIRED') : signedIn(null);
}

function refusePass(store: Store, tenant: TenantState, user: UserState, pass: PassState): SignInResult | null {
  const { includedGroupIds } = tenant.tapPolicy;
  const included = includedGroupIds === null || groupsOf(tenant, user.id).some(({ id }) => includedGroupIds.includes(id));
  if (!included) return failed(130503, 'NOT_IN_POLICY');
  switch (usability(store, tenant, pass)) {
    case 'EnabledByPolicy':
      return null;
    case 'DisabledByPolicy':
      return failed(130503, 'NOT_IN_POLICY');
    case 'OneTimeUsed':
      return failed(130502, 'USED');
    case 'NotYetValid':
    case 'Expired':
      return failed(130500, 'EXPIRED');
  }
}
