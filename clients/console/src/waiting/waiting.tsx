import { useState } from 'preact/hooks';
import { AccessApproval } from '../approval/access-approval.tsx';
import { LoginApproval } from '../approval/login-approval.tsx';
import { loginOutcome } from '../approval/login-outcome.ts';
import type { ApproverFragment, WaitingForMeFragment } from '../generated/operations.ts';

interface Props {
  waiting: WaitingForMeFragment;
  approver: ApproverFragment;
  changed: () => void;
}

/** What waits for the technician: logins that ask them (PUSH), and what others want their yes for. */
export function Waiting({ waiting, approver, changed }: Props) {
  const [done, setDone] = useState<string | null>(null);
  const decided = (sentence: string) => {
    setDone(sentence);
    changed();
  };
  const nothing = waiting.logins.length + waiting.accessRequests.length === 0;
  if (nothing && done === null) return null;
  return (
    <section aria-label="Waiting for you">
      {!nothing && <h2>Waiting for you</h2>}
      {done !== null && <p role="status">{done}</p>}
      {waiting.logins.map((login) => (
        <div class="card" key={login.id}>
          <h3>Log in to {login.hostName}?</h3>
          <LoginApproval login={login} approver={approver} code={null} decided={(after) => decided(loginOutcome(after).text)} />
        </div>
      ))}
      {waiting.accessRequests.map((request) => (
        <AccessApproval key={request.id} request={request} approver={approver} decided={decided} />
      ))}
    </section>
  );
}
