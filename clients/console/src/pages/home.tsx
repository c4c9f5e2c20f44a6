import { useEffect, useState } from 'preact/hooks';
import { signOut } from '../auth/session.ts';
import { EntraCredential } from '../entra/entra-credential.tsx';
import { forgetCredentialKeys } from '../entra/credential-key.ts';
import {
  EndMineDocument,
  ExtendMineDocument,
  HomeDocument,
  RevokeMySessionDocument,
  type HomeQuery,
  type SessionOfMineFragment,
} from '../generated/operations.ts';
import { ask, expectType } from '../graphql.ts';
import { newId } from '../new-id.ts';
import { onNudges } from '../nudges.ts';
import { Notifications } from '../push/notifications.tsx';
import { Button, Problem, useAction, type Acting } from '../ui/action.tsx';
import { Facts, Page } from '../ui/page.tsx';
import { instantText } from '../ui/time.ts';
import { Waiting } from '../waiting/waiting.tsx';
import { TotpSetup } from './totp-setup.tsx';

const extensionSeconds = 1800;
const live = new Set(['APPROVED', 'ACTIVE', 'ENDING', 'END_STUCK']);

/** The technician's own start: running sessions with their end, where they are signed in, passkeys and codes. */
export function HomePage() {
  const acting = useAction();
  const [answer, setAnswer] = useState<HomeQuery | null>(null);
  const read = async () => {
    const home = await ask(HomeDocument, {});
    setAnswer(home);
    const grants = (home.viewer.technician?.grants?.edges ?? []).map(({ node }) => node);
    await forgetCredentialKeys(grants.filter(({ entraRole, state }) => entraRole != null && !live.has(state)).map(({ id }) => id));
  };
  // Unasked for, so without a word when it fails: the next time comes soon.
  const readAgain = () => void read().catch(() => undefined);
  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    acting.act(read);
    void onNudges(readAgain, signal);
    // A notification was clicked, or the person comes back to the page.
    navigator.serviceWorker?.addEventListener('message', readAgain, { signal });
    document.addEventListener('visibilitychange', () => document.hidden || readAgain(), { signal });
    return () => leaving.abort();
  }, []);
  const home = answer?.viewer;
  const technician = home?.technician;
  if (answer == null || home == null || technician == null)
    return (
      <Page title="Stint">
        <Problem text={acting.problem} />
      </Page>
    );
  const running = (technician.grants?.edges ?? []).map(({ node }) => node).filter(({ state }) => live.has(state));
  return (
    <Page title={`Hello ${technician.displayName}`}>
      <Problem text={acting.problem} />
      <Waiting waiting={answer.waiting} approver={home} changed={readAgain} />
      <h2>Your sessions</h2>
      {running.length === 0 && (
        <p class="quiet">
          None. Scan the code at a computer with your phone's camera, or <a href="/app/entra">ask for a role in Entra</a>.
        </p>
      )}
      {running.map((grant) => (
        <Running key={grant.id} grant={grant} acting={acting} changed={read} />
      ))}
      <h2>Codes for computers without network</h2>
      <TotpSetup enrolled={technician.totpEnrolled} technicianId={home.id} email={technician.email} changed={read} />
      <h2>Notifications</h2>
      <Notifications technicianId={home.id} />
      <h2>Passkeys</h2>
      <Facts rows={technician.passkeys.map((passkey) => [passkey.label, `since ${instantText(passkey.createdAt)}`] as const)} />
      <h2>Where you are signed in</h2>
      {home.sessions.map((session) => (
        <div class="card" key={session.id}>
          <p>
            {session.client} <span class="quiet">{session.userAgent}</span>
          </p>
          <Button
            kind="quiet"
            busy={acting.busy}
            onClick={() =>
              acting.act(async () => {
                expectType((await ask(RevokeMySessionDocument, { input: { id: session.id } })).revokeSession, 'SignInSession');
                if (!session.current) return read();
                await signOut();
                location.assign('/app');
              })
            }
          >
            {session.current ? 'Sign out here' : 'Sign out there'}
          </Button>
        </div>
      ))}
    </Page>
  );
}

function Running({ grant, acting, changed }: { grant: SessionOfMineFragment; acting: Acting; changed: () => Promise<void> }) {
  const extendable =
    grant.state === 'ACTIVE' && grant.expiresAt != null && grant.extendableUntil != null && grant.expiresAt < grant.extendableUntil;
  const ending = grant.state === 'ENDING' || grant.state === 'END_STUCK';
  const endsSoon = grant.state === 'ACTIVE' && grant.warnAt != null && Date.parse(grant.warnAt) <= Date.now();
  return (
    <div class="card">
      {endsSoon && (
        <p class="problem" role="status">
          This session ends soon.
        </p>
      )}
      <Facts
        rows={[
          ['Customer', grant.tenant?.name],
          ['Computer', grant.device?.hostName],
          ['Role in Entra', grant.entraRole],
          ['Account', grant.accountName],
          ['Ends', grant.expiresAt == null ? 'not begun yet' : instantText(grant.expiresAt)],
          ['Why', grant.reason],
          ['Ticket', grant.ticket],
          ['State', grant.state === 'END_STUCK' ? 'nobody has seen yet that it ended' : ending ? 'ending' : null],
        ]}
      />
      {grant.state === 'ACTIVE' && grant.entraAccountKind === 'JIT' && <EntraCredential grantId={grant.id} />}
      {extendable && (
        <Button
          busy={acting.busy}
          onClick={() =>
            acting.act(async () => {
              const input = { id: newId(), grantId: grant.id, seconds: extensionSeconds };
              expectType((await ask(ExtendMineDocument, { input })).extendGrant, 'Grant');
              await changed();
            })
          }
        >
          30 minutes more
        </Button>
      )}
      {!ending && (
        <Button
          kind="danger"
          busy={acting.busy}
          onClick={() =>
            acting.act(async () => {
              expectType((await ask(EndMineDocument, { input: { id: grant.id } })).endGrant, 'Grant');
              await changed();
            })
          }
        >
          End now
        </Button>
      )}
    </div>
  );
}
