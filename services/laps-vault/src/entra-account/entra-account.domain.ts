import type { Payload } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { afterReport } from '../account/account-report.domain.ts';
import type { LapsAccount } from '../account/account.domain.ts';

/** What services/entra-connector tells of an account. */
export type ToldAccount = Pick<
  Payload<'entra-break-glass-changed'>,
  'userPrincipalName' | 'registered' | 'problem' | 'versionId' | 'tampered'
>;

/**
 * The account as it was told. Its password is changed at once when somebody else has changed it, when the version that was read back in
 * Entra is none that the vault knows (it was restored from a backup), and when the account is registered again.
 */
export function afterTold(account: LapsAccount, told: ToldAccount, known: ReadonlySet<Id>, now: Date): LapsAccount {
  const { userPrincipalName: name, registered: wanted, problem, versionId, tampered } = told;
  const next = afterReport(account, { problem, finding: null, incident: tampered ? 'TAMPERED' : null, versionId }, now).account;
  const isLost = versionId !== null && !known.has(versionId);
  const isBack = wanted && !account.wanted;
  return { ...next, name, wanted, rotateAt: isLost || isBack ? now : next.rotateAt };
}
