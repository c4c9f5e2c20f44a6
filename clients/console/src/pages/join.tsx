import { startRegistration, type PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/browser';
import { useEffect, useState } from 'preact/hooks';
import { signIn } from '../auth/session.ts';
import {
  RedeemInvitationDocument,
  RedeemRecoveryDocument,
  StartJoiningDocument,
  type StartJoiningMutation,
} from '../generated/operations.ts';
import { askAnonymously, expectType } from '../graphql.ts';
import { Button, Field, Problem, useAction } from '../ui/action.tsx';
import { Page } from '../ui/page.tsx';

type Started = Extract<StartJoiningMutation['startJoining'], { __typename: 'JoiningStarted' }>;

const titles: Record<Started['kind'], string> = {
  FIRST_ADMINISTRATOR: 'Set up Stint',
  INVITATION: 'Join Stint',
  RECOVERY: 'Get back in',
};

/** Redeems a one-time link (first administrator, invitation or recovery): makes a passkey and registers it. */
export function JoinPage({ token }: { token: string }) {
  const { busy, problem, act } = useAction();
  const [started, setStarted] = useState<Started | null>(null);
  const [displayName, setDisplayName] = useState('');
  const [email, setEmail] = useState('');
  const [mspName, setMspName] = useState('');
  const start = async () => {
    const { startJoining } = await askAnonymously(StartJoiningDocument, { input: { token } });
    return expectType(startJoining, 'JoiningStarted');
  };
  useEffect(
    () =>
      act(async () => {
        setStarted(await start());
        // The token is good once: it does not stay in the address bar and the history.
        history.replaceState(null, '', '/join');
      }),
    [],
  );
  if (started === null)
    return (
      <Page title="Join Stint">
        <Problem text={problem} />
      </Page>
    );
  const first = started.kind === 'FIRST_ADMINISTRATOR';
  const join = async () => {
    // A challenge works once: after a cancelled try a new one is needed.
    const { optionsJson } = await start();
    const optionsJSON = JSON.parse(optionsJson) as PublicKeyCredentialCreationOptionsJSON;
    const name = started.email ?? email;
    // What the authenticator shows when it asks which passkey to use.
    const user = {
      ...optionsJSON.user,
      name: name || optionsJSON.user.name,
      displayName: displayName || name || optionsJSON.user.displayName,
    };
    const registration = JSON.stringify(await startRegistration({ optionsJSON: { ...optionsJSON, user } }));
    if (started.kind === 'RECOVERY') {
      const { redeemRecovery } = await askAnonymously(RedeemRecoveryDocument, { input: { token, registration } });
      expectType(redeemRecovery, 'SignUp');
    } else {
      const input = { token, displayName, registration, ...(first && { email, mspName }) };
      const { redeemInvitation } = await askAnonymously(RedeemInvitationDocument, { input });
      expectType(redeemInvitation, 'SignUp');
    }
    await signIn('/app');
  };
  return (
    <Page title={titles[started.kind]}>
      <Problem text={problem} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          act(join);
        }}
      >
        {started.email != null && (
          <p>
            For {started.email}
            {started.mspName == null ? '' : ` at ${started.mspName}`}.
          </p>
        )}
        {started.kind !== 'RECOVERY' && (
          <Field
            label="Your name"
            value={displayName}
            onInput={setDisplayName}
            autocomplete="name"
            hint="As colleagues and the audit log know you."
          />
        )}
        {first && (
          <>
            <Field label="Your email address" value={email} onInput={setEmail} autocomplete="email" />
            <Field label="Your company" value={mspName} onInput={setMspName} autocomplete="organization" />
          </>
        )}
        <Button busy={busy} onClick={() => act(join)}>
          {started.kind === 'RECOVERY' ? 'Make a new passkey' : 'Make a passkey and join'}
        </Button>
        <p class="quiet">The passkey stays on this device or in your password manager. Stint never sees a password of yours.</p>
      </form>
    </Page>
  );
}
