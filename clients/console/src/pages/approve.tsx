import { useEffect, useState } from 'preact/hooks';
import { signApproval } from '../crypto/approval.ts';
import {
  ApproveLoginDocument,
  DenyLoginDocument,
  LoginByCodeDocument,
  type LoginByCodeQuery,
  type LoginToApproveFragment,
} from '../generated/operations.ts';
import { ask, expectType } from '../graphql.ts';
import { Button, Field, Problem, useAction } from '../ui/action.tsx';
import { Facts, Page } from '../ui/page.tsx';
import { durationText } from '../ui/time.ts';

type Viewer = LoginByCodeQuery['viewer'];

/** What a technician sees after scanning a login's QR code: exactly what their passkey signs when they approve. */
export function ApprovePage({ code }: { code: string }) {
  const { busy, problem, act } = useAction();
  const [login, setLogin] = useState<LoginToApproveFragment | null>(null);
  const [viewer, setViewer] = useState<Viewer | null>(null);
  const read = async () => {
    const answer = await ask(LoginByCodeDocument, { code });
    if (answer.loginRequestByCode == null) throw new Error('This code is not known. It may have ended: start a new login at the computer.');
    setViewer(answer.viewer);
    setLogin(answer.loginRequestByCode);
  };
  useEffect(() => act(read), [code]);
  if (login === null || viewer === null)
    return (
      <Page title="Log in">
        <Problem text={problem} />
      </Page>
    );
  if (login.state !== 'PENDING') return <Outcome login={login} />;
  return (
    <Page title={`Log in to ${login.hostName}?`}>
      <Problem text={problem} />
      <Facts
        rows={[
          ['Customer', login.tenantName],
          ['Computer', login.hostName],
          ['Account', 'local administrator'],
          ['Rule', login.demands?.ruleName],
        ]}
      />
      <p>Is this the number on the computer's screen? If not, somebody else's login was put before you: deny it.</p>
      <p class="number">{login.shownNumber}</p>
      {login.demands?.denied == null ? (
        <Choice
          login={login}
          busy={busy}
          approve={(choice) =>
            act(async () => {
              const { approveLogin } = await ask(ApproveLoginDocument, { input: await approval(login, viewer, code, choice) });
              setLogin(expectType(approveLogin, 'LoginRequest'));
            })
          }
        />
      ) : (
        <p class="problem">{login.demands.denied}</p>
      )}
      <Button
        kind="danger"
        busy={busy}
        onClick={() =>
          act(async () => {
            const { denyLogin } = await ask(DenyLoginDocument, { input: { id: login.id, code } });
            setLogin(expectType(denyLogin, 'LoginRequest'));
          })
        }
      >
        Deny
      </Button>
    </Page>
  );
}

interface Chosen {
  seconds: number;
  reason: string | null;
  ticket: string | null;
}

function Choice({ login, busy, approve }: { login: LoginToApproveFragment; busy: boolean; approve: (chosen: Chosen) => void }) {
  const demands = login.demands;
  const [seconds, setSeconds] = useState(demands?.defaultSeconds ?? 3600);
  const [reason, setReason] = useState('');
  const [ticket, setTicket] = useState('');
  const longest = demands?.maxSeconds ?? seconds;
  const offered = [...new Set([900, 1800, 3600, 7200, 14_400, 28_800, seconds].filter((one) => one <= longest))].sort((a, b) => a - b);
  // As the server writes it down, so that the signature covers the very same text.
  const typed = (text: string) => (text.trim() === '' ? null : text.normalize('NFC').trim());
  return (
    <>
      <label>
        <span>For how long</span>
        <select value={seconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
          {offered.map((one) => (
            <option key={one} value={one}>
              {durationText(one)}
            </option>
          ))}
        </select>
      </label>
      <Field label={demands?.requireReason === true ? 'Why (needed)' : 'Why'} value={reason} onInput={setReason} />
      <Field label={demands?.requireTicket === true ? 'Ticket (needed)' : 'Ticket'} value={ticket} onInput={setTicket} />
      {(demands?.approvals ?? 0) > 0 && <p class="quiet">{demands?.approvals} more approval(s) by others are needed after yours.</p>}
      <Button busy={busy} onClick={() => approve({ seconds, reason: typed(reason), ticket: typed(ticket) })}>
        Approve with your passkey
      </Button>
    </>
  );
}

function Outcome({ login }: { login: LoginToApproveFragment }) {
  switch (login.state) {
    case 'APPROVED':
    case 'ACTIVE':
      return (
        <Page title="Approved">
          <p>
            The computer {login.hostName} logs you in{login.grant == null ? '' : ` as ${login.grant.accountName}`}.{' '}
            <a href="/app">Your sessions</a>
          </p>
        </Page>
      );
    case 'AWAITING_APPROVAL':
      return (
        <Page title="Waiting for approval">
          <p>Somebody else has to approve, too. The computer logs you in as soon as they have.</p>
        </Page>
      );
    case 'DENIED':
      return (
        <Page title="Denied">
          <p>Nobody gets in by this login.</p>
        </Page>
      );
    default:
      return (
        <Page title="Over">
          <p>{login.failure ?? 'This login has ended. Start a new one at the computer.'}</p>
        </Page>
      );
  }
}

async function approval(login: LoginToApproveFragment, viewer: Viewer, code: string, { seconds, reason, ticket }: Chosen) {
  if (login.tenant == null || login.device == null || login.shownNumber === null)
    throw new Error('The login does not say where it comes from. Read it again.');
  const content = {
    purpose: 'login' as const,
    technicianId: viewer.id,
    loginRequestId: login.id,
    tenantId: login.tenant.id,
    tenantName: login.tenantName,
    deviceId: login.device.id,
    hostName: login.hostName,
    accountKind: 'LOCAL' as const,
    shownNumber: login.shownNumber,
    durationSeconds: seconds,
    reason,
    ticket,
  };
  const passkeys = (viewer.technician?.passkeys ?? []).map(({ credentialId }) => credentialId);
  return { id: login.id, code, sessionSeconds: seconds, reason, ticket, assertion: await signApproval(content, passkeys) };
}
