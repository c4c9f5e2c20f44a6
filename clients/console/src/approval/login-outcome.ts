import type { LoginToApproveFragment } from '../generated/operations.ts';

/** What came of a login, as a heading and a sentence. */
export function loginOutcome(login: Pick<LoginToApproveFragment, 'state' | 'method' | 'hostName' | 'failure' | 'grant'>): {
  title: string;
  text: string;
} {
  switch (login.state) {
    case 'APPROVED':
    case 'ACTIVE': {
      const as = login.grant == null ? '' : ` as ${login.grant.accountName}`;
      return { title: 'Approved', text: `The computer ${login.hostName} logs you in${as}.` };
    }
    case 'AWAITING_APPROVAL':
      return {
        title: 'Waiting for approval',
        text: 'Somebody else has to approve, too. The computer logs you in as soon as they have.',
      };
    case 'DENIED': {
      const wrong = login.method === 'PUSH' ? ' A wrong number denies a login too: if it was yours, start a new one at the computer.' : '';
      return { title: 'Denied', text: `Nobody gets in by this login.${wrong}` };
    }
    default:
      return { title: 'Over', text: login.failure ?? 'This login has ended. Start a new one at the computer.' };
  }
}
