import { useState } from 'preact/hooks';
import { signApproval } from '../crypto/approval.ts';
import { ApproveLoginDocument, DenyLoginDocument, type ApproverFragment, type LoginToApproveFragment } from '../generated/operations.ts';
import { ask, expectType } from '../graphql.ts';
import { Button, Field, Problem, useAction } from '../ui/action.tsx';
import { Facts } from '../ui/page.tsx';
import { asKept } from './as-kept.ts';
import { DurationChoice } from './duration-choice.tsx';

type AccountKind = LoginToApproveFragment['accountKind'];
const kindText: Record<AccountKind, string> = { LOCAL: 'administrator of this computer', DOMAIN: 'administrator of its domain' };

interface Props {
  login: LoginToApproveFragment;
  approver: ApproverFragment;
  /** From the QR code; null where the login asked its technician by PUSH. */
  code: string | null;
  decided: (login: LoginToApproveFragment) => void;
}

/** What a technician sees of a login that waits for them: exactly what their passkey signs when they approve. */
export function LoginApproval({ login, approver, code, decided }: Props) {
  const { busy, problem, act } = useAction();
  const deny = (notMe: boolean) =>
    act(async () => {
      const { denyLogin } = await ask(DenyLoginDocument, { input: { id: login.id, code, notMe } });
      decided(expectType(denyLogin, 'LoginRequest'));
    });
  return (
    <>
      <Problem text={problem} />
      <Facts
        rows={[
          ['Customer', login.tenantName],
          ['Computer', login.hostName],
          ['Account', login.accountKinds.length > 1 ? null : kindText[login.accountKind]],
          ['Rule', login.demands?.ruleName],
        ]}
      />
      {login.domainObstacle != null && <p class="quiet">{login.domainObstacle}</p>}
      {login.shownNumber != null && (
        <>
          <p>Is this the number on the computer's screen? If not, somebody else's login was put before you: deny it.</p>
          <p class="number">{login.shownNumber}</p>
        </>
      )}
      {login.demands?.denied == null ? (
        <Choice
          login={login}
          busy={busy}
          approve={(chosen) =>
            act(async () => {
              const { approveLogin } = await ask(ApproveLoginDocument, { input: await approval(login, approver, code, chosen) });
              decided(expectType(approveLogin, 'LoginRequest'));
            })
          }
        />
      ) : (
        <p class="problem">{login.demands.denied}</p>
      )}
      <Button kind="danger" busy={busy} onClick={() => deny(false)}>
        Deny
      </Button>
      {login.method === 'PUSH' && (
        <Button kind="danger" busy={busy} onClick={() => deny(true)}>
          This was not me
        </Button>
      )}
    </>
  );
}

interface Chosen {
  number: string;
  accountKind: AccountKind;
  seconds: number;
  reason: string | null;
  ticket: string | null;
}

function Choice({ login, busy, approve }: { login: LoginToApproveFragment; busy: boolean; approve: (chosen: Chosen) => void }) {
  const demands = login.demands;
  const longest = demands?.maxSeconds ?? 3600;
  const preset = Math.min(demands?.defaultSeconds ?? 3600, longest);
  const [number, setNumber] = useState('');
  const [accountKind, setAccountKind] = useState(login.accountKind);
  const [seconds, setSeconds] = useState(preset);
  const [reason, setReason] = useState('');
  const [ticket, setTicket] = useState('');
  const typesNumber = login.shownNumber == null;
  const missing =
    (typesNumber && !/^[0-9]{2}$/.test(number.trim())) ||
    (demands?.requireReason === true && reason.trim() === '') ||
    (demands?.requireTicket === true && ticket.trim() === '');
  return (
    <>
      {typesNumber && (
        <Field
          label="The number that the computer shows"
          hint="You see none, or did not start this? Then it was not you."
          inputMode="numeric"
          value={number}
          onInput={setNumber}
        />
      )}
      {login.accountKinds.length > 1 && (
        <label>
          <span>As</span>
          <select value={accountKind} onChange={(event) => setAccountKind(event.currentTarget.value as AccountKind)}>
            {login.accountKinds.map((kind) => (
              <option key={kind} value={kind}>
                {kindText[kind]}
              </option>
            ))}
          </select>
        </label>
      )}
      <DurationChoice longest={longest} preset={preset} value={seconds} onChange={setSeconds} />
      <Field label={demands?.requireReason === true ? 'Why (needed)' : 'Why'} value={reason} onInput={setReason} />
      <Field label={demands?.requireTicket === true ? 'Ticket (needed)' : 'Ticket'} value={ticket} onInput={setTicket} />
      {(demands?.approvals ?? 0) > 0 && <p class="quiet">{demands?.approvals} more approval(s) by others are needed after yours.</p>}
      <Button
        busy={busy || missing}
        onClick={() => approve({ number: number.trim(), accountKind, seconds, reason: asKept(reason), ticket: asKept(ticket) })}
      >
        Approve with your passkey
      </Button>
    </>
  );
}

async function approval(login: LoginToApproveFragment, approver: ApproverFragment, code: string | null, chosen: Chosen) {
  const { accountKind, seconds, reason, ticket } = chosen;
  if (login.tenant == null || login.device == null) throw new Error('The login does not say where it comes from. Read it again.');
  const content = {
    purpose: 'login' as const,
    technicianId: approver.id,
    loginRequestId: login.id,
    tenantId: login.tenant.id,
    tenantName: login.tenantName,
    deviceId: login.device.id,
    hostName: login.hostName,
    accountKind,
    shownNumber: login.shownNumber ?? chosen.number,
    durationSeconds: seconds,
    reason,
    ticket,
  };
  return {
    ...{ id: login.id, code, number: login.shownNumber == null ? chosen.number : null },
    ...{ accountKind, sessionSeconds: seconds, reason, ticket, assertion: await signApproval(content, approver) },
  };
}
