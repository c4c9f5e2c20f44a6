import { useEffect, useState } from 'preact/hooks';
import { LoginApproval } from '../approval/login-approval.tsx';
import { loginOutcome } from '../approval/login-outcome.ts';
import { LoginByCodeDocument, type ApproverFragment, type LoginToApproveFragment } from '../generated/operations.ts';
import { ask } from '../graphql.ts';
import { Problem, useAction } from '../ui/action.tsx';
import { Page } from '../ui/page.tsx';

/** Where a login's QR code leads. */
export function ApprovePage({ code }: { code: string }) {
  const { problem, act } = useAction();
  const [login, setLogin] = useState<LoginToApproveFragment | null>(null);
  const [approver, setApprover] = useState<ApproverFragment | null>(null);
  const read = async () => {
    const answer = await ask(LoginByCodeDocument, { code });
    if (answer.loginRequestByCode == null) throw new Error('This code is not known. It may have ended: start a new login at the computer.');
    setApprover(answer.viewer);
    setLogin(answer.loginRequestByCode);
  };
  useEffect(() => act(read), [code]);
  if (login === null || approver === null)
    return (
      <Page title="Log in">
        <Problem text={problem} />
      </Page>
    );
  if (login.state === 'PENDING')
    return (
      <Page title={`Log in to ${login.hostName}?`}>
        <LoginApproval login={login} approver={approver} code={code} decided={setLogin} />
      </Page>
    );
  const { title, text } = loginOutcome(login);
  return (
    <Page title={title}>
      <p>
        {text} <a href="/app">Your sessions</a>
      </p>
    </Page>
  );
}
