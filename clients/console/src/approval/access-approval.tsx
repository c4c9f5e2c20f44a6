import type { ApprovalContent } from '@stint/contracts/approval-content';
import { useState } from 'preact/hooks';
import { signApproval } from '../crypto/approval.ts';
import { ApproveAccessDocument, DenyAccessDocument, type AccessToApproveFragment, type ApproverFragment } from '../generated/operations.ts';
import { ask, expectType } from '../graphql.ts';
import { Button, Field, Problem, useAction } from '../ui/action.tsx';
import { Facts } from '../ui/page.tsx';
import { durationText, instantText } from '../ui/time.ts';
import { DurationChoice } from './duration-choice.tsx';

interface Props {
  request: AccessToApproveFragment;
  approver: ApproverFragment;
  decided: (sentence: string) => void;
}

/** What another technician asks for, and the yes or no of whoever may say it: exactly what their passkey signs. */
export function AccessApproval({ request, approver, decided }: Props) {
  const { busy, problem, act } = useAction();
  const [seconds, setSeconds] = useState(request.sessionSeconds);
  const [denying, setDenying] = useState(false);
  const [why, setWhy] = useState('');
  const who = request.requester?.displayName ?? 'A technician';
  const where = request.entra == null ? (request.loginRequest?.hostName ?? 'a computer') : `${request.entra.roleName} in Entra`;
  return (
    <div class="card">
      <h3>
        {who} asks for {where}
      </h3>
      <Problem text={problem} />
      <Facts
        rows={[
          ['Who', request.requester?.email],
          ['Customer', request.entra?.tenantName ?? request.loginRequest?.tenantName],
          ['Counts for', request.entra == null ? null : request.entra.scope === '/' ? 'the whole Entra tenant' : request.entra.scope],
          ['Account', request.entra == null ? null : request.entra.accountKind === 'JIT' ? 'made for it' : 'their own'],
          ['Why', request.reason],
          ['Ticket', request.ticket],
          ['Asked for', durationText(request.sessionSeconds)],
          ['Rule', request.ruleName],
          ['Approved by', request.approvals.map((one) => one.approver?.displayName ?? '?').join(', ')],
          ['Waits until', instantText(request.expiresAt)],
        ]}
      />
      {denying ? (
        <>
          <Field label="Why not" hint={`${who} is told.`} value={why} onInput={setWhy} />
          <Button
            kind="danger"
            busy={busy || why.trim() === ''}
            onClick={() =>
              act(async () => {
                expectType((await ask(DenyAccessDocument, { input: { id: request.id, reason: why } })).denyAccess, 'AccessRequest');
                decided(`Denied: ${who} does not get ${where}.`);
              })
            }
          >
            Deny for good
          </Button>
          <Button kind="quiet" busy={busy} onClick={() => setDenying(false)}>
            Back
          </Button>
        </>
      ) : (
        <>
          <DurationChoice longest={request.sessionSeconds} preset={request.sessionSeconds} value={seconds} onChange={setSeconds} />
          <Button
            busy={busy}
            onClick={() =>
              act(async () => {
                const input = { id: request.id, sessionSeconds: seconds, assertion: await assertion(request, approver, seconds) };
                expectType((await ask(ApproveAccessDocument, { input })).approveAccess, 'AccessRequest');
                decided(`You approved ${who} for ${where}.`);
              })
            }
          >
            Approve with your passkey
          </Button>
          <Button kind="danger" busy={busy} onClick={() => setDenying(true)}>
            Deny …
          </Button>
        </>
      )}
    </div>
  );
}

async function assertion(request: AccessToApproveFragment, approver: ApproverFragment, durationSeconds: number): Promise<string> {
  return signApproval(content(request, durationSeconds), approver);
}

function content(
  { id, requester, device, tenant, loginRequest: login, entra, ...asked }: AccessToApproveFragment,
  durationSeconds: number,
): ApprovalContent {
  if (requester == null || tenant == null) throw new Error('The request does not say who asks for what. Read it again.');
  const { reason = null, ticket = null } = asked;
  const about = { technicianId: requester.id, tenantId: tenant.id, durationSeconds, reason, ticket };
  if (entra != null) return { purpose: 'entra-second-approval', grantId: id, ...about, ...entra };
  if (device == null || login?.shownNumber == null) throw new Error('The request does not say who asks for what. Read it again.');
  const { hostName, tenantName, accountKind, shownNumber } = login;
  return {
    purpose: 'second-approval',
    loginRequestId: login.id,
    deviceId: device.id,
    ...about,
    hostName,
    tenantName,
    accountKind,
    shownNumber,
  };
}
