import type { EntraConnection } from './connection.domain.ts';
import type { ConnectionProblem } from './finding.domain.ts';

/** What lives on by a connection, beside access. */
export interface Dependents {
  /** Registered ones; `entraTenantId`: where they are, null while that is not known. */
  breakGlassAccounts: { name: string; entraTenantId: string | null }[];
  /** Null when it is off. */
  source: { entraTenantId: string | null; people: number } | null;
  /** How many of Stint's accounts were left in former Entra tenants, and which roles of people's own (“role from account”). */
  leftBehind: { entraTenantId: string; accounts: number; roles: string[] }[];
}

export const noDependents: Dependents = { breakGlassAccounts: [], source: null, leftBehind: [] };

const connectAgain = 'Connect the same Entra tenant again, and it goes on';

/** What stands still because a connection is ended, or leads to another Entra tenant than before. It blocks no access. */
export function dependentProblems(
  { state, entraTenantId }: Pick<EntraConnection, 'state' | 'entraTenantId'>,
  { breakGlassAccounts, source, leftBehind }: Dependents,
): ConnectionProblem[] {
  const isOver = state === 'DISCONNECTING' || state === 'DISCONNECTED';
  const isElsewhere = (kept: string | null) => kept !== null && kept !== entraTenantId;
  const unattended = breakGlassAccounts.filter((account) => isOver || isElsewhere(account.entraTenantId));
  const names = unattended.map(({ name }) => name).join(', ');
  const why = isOver ? 'without a connection' : 'because they are in another Entra tenant than the connected one';
  return [
    ...leftBehind.filter((left) => isElsewhere(left.entraTenantId)).map(leftBehindProblem),
    ...(unattended.length === 0
      ? []
      : [
          {
            ...{ code: 'BREAK_GLASS_UNATTENDED' as const, blocking: false, about: names },
            message: `The passwords of break-glass accounts are not changed any more, ${why}: ${names}. They stay in the vault as they are.`,
            nextStep: `${connectAgain}; or take the accounts off the list (stint entra break-glass remove).`,
          },
        ]),
    ...(source === null || !(isOver || isElsewhere(source.entraTenantId))
      ? []
      : [
          {
            ...{ code: 'USER_SOURCE_UNATTENDED' as const, blocking: false, about: null },
            message: `The ${source.people} technicians from the user source are not updated any more, ${why}: who is disabled in Entra from now on stays a technician here.`,
            nextStep: isOver
              ? `${connectAgain}; or switch the user source off (switchUserSourceOff).`
              : `${connectAgain}; or preview groups of the new one (previewUserSource), or switch the source off.`,
          },
        ]),
  ];
}

function leftBehindProblem({ entraTenantId: former, accounts, roles }: Dependents['leftBehind'][number]): ConnectionProblem {
  const what = [
    ...(accounts > 0 ? [`${accounts} accounts of Stint`] : []),
    ...(roles.length > 0 ? [`${roles.length} roles of people’s own accounts`] : []),
  ];
  const byHand = [
    ...(accounts > 0 ? ['delete the accounts there by hand (their employeeId begins with “stint”)'] : []),
    ...(roles.length > 0 ? [`take there by hand ${roles.join(', ')}`] : []),
  ];
  return {
    ...{ code: 'ACCOUNTS_LEFT_BEHIND', blocking: false, about: former },
    message: `${what.join(' and ')} were left in the Entra tenant ${former}, which is not connected any more. Nobody has seen that this access ended.`,
    nextStep: `Connect that one again, and they are taken away; or ${byHand.join(', and ')}.`,
  };
}
