import { startRegistration, type PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/browser';
import { useEffect, useState } from 'preact/hooks';
import { signIn } from '../auth/session.ts';
import { RedeemInvitationDocument, StartJoiningDocument, type StartJoiningMutation } from '../generated/operations.ts';
import { askAnonymously, expectType } from '../graphql.ts';
import { Button, Field, Problem, useAction } from '../ui/action.tsx';
import { Page } from '../ui/page.tsx';

type Started = Extract<StartJoiningMutation['startJoining'], { __typename: 'JoiningStarted' }>;

/** Redeems an invitation, a recovery or the first-administrator link: makes a passkey and registers it. */
export function JoinPage({ token }: { token: string }) {
  const { busy, problem, act } = useAction();
  const [started, setStarted] = useState<Started | null>(null);
  const [displayName, setDisplayName] = useState('');
  const [email, setEmail] = useState('');
  const [mspName, setMspName] = useState('');
  useEffect(
    () =>
      act(async () => {
        const { startJoining } = await askAnonymously(StartJoiningDocument, { input: { token } });
        setStarted(expectType(startJoining, 'JoiningStarted'));
        // The token is good once: it does not stay in the address bar and the history.
        history.replaceState(null, '', '/join');
      }),
    [],
  );
  const join = async () => {
    if (started === null) return;
    const optionsJSON = JSON.parse(started.optionsJson) as PublicKeyCredentialCreationOptionsJSON;
    const name = started.email ?? email;
    // What the authenticator shows when it asks which passkey to use.
    const registration = await startRegistration({
      optionsJSON: { ...optionsJSON, user: { ...optionsJSON.user, name, displayName: displayName || name } },
    });
    const { redeemInvitation } = await askAnonymously(RedeemInvitationDocument, {
      input: {
        token,
        displayName,
        registration: JSON.stringify(registration),
        ...(started.firstAdministrator && { email, mspName }),
      },
    });
    expectType(redeemInvitation, 'SignUp');
    await signIn('/app');
  };
  return (
    <Page title={started?.firstAdministrator === true ? 'Set up Stint' : 'Join Stint'}>
      <Problem text={problem} />
      {started !== null && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            act(join);
          }}
        >
          {started.email != null && <p>You were invited as {started.email}.</p>}
          <Field
            label="Your name"
            value={displayName}
            onInput={setDisplayName}
            autocomplete="name"
            hint="As colleagues and the audit log know you."
          />
          {started.firstAdministrator && (
            <>
              <Field label="Your email address" value={email} onInput={setEmail} autocomplete="email" />
              <Field label="Your company" value={mspName} onInput={setMspName} autocomplete="organization" />
            </>
          )}
          <Button busy={busy} onClick={() => act(join)}>
            Make a passkey and join
          </Button>
          <p class="quiet">The passkey stays on this device or in your password manager. Stint never sees a password of yours.</p>
        </form>
      )}
    </Page>
  );
}
