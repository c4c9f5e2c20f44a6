import { startAuthentication, type PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/browser';
import { useEffect, useState } from 'preact/hooks';
import { Button, Field, Problem, useAction } from '../ui/action.tsx';
import { Page } from '../ui/page.tsx';

/** The authorization server's sign-in page for one interaction: by passkey, or by the MSP's own identity provider. */
export function SignInPage({ uid }: { uid: string }) {
  const { busy, problem, act } = useAction();
  const [email, setEmail] = useState('');
  const [byProvider, setByProvider] = useState(false);
  const [details, setDetails] = useState<Details | null>(null);
  useEffect(() => act(async () => setDetails(await answerOf<Details>(await fetch(`/sign-in/${uid}/details`)))), [uid]);
  const withPasskey = async () => {
    const optionsJSON = await post<PublicKeyCredentialRequestOptionsJSON>(`/sign-in/${uid}/passkey/options`, {});
    const response = await startAuthentication({ optionsJSON });
    const { location: next } = await post<{ location: string }>(`/sign-in/${uid}/passkey`, { response });
    location.assign(next);
  };
  const withProvider = async () => {
    const { location: next } = await post<{ location: string }>(`/sign-in/${uid}/identity-provider`, { email });
    location.assign(next);
  };
  return (
    <Page title="Sign in">
      <Problem text={problem ?? details?.problem ?? null} />
      {details?.identityProvider === false && <p>Your company has vouched for you. Now your passkey.</p>}
      <Button busy={busy} onClick={() => act(withPasskey)}>
        Sign in with a passkey
      </Button>
      {details?.identityProvider === false ? null : byProvider ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            act(withProvider);
          }}
        >
          <Field label="Your work email address" value={email} onInput={setEmail} autocomplete="email" />
          <Button busy={busy} kind="quiet" onClick={() => act(withProvider)}>
            Continue
          </Button>
        </form>
      ) : (
        <Button kind="quiet" onClick={() => setByProvider(true)}>
          Use your company's sign-in
        </Button>
      )}
      <p class="quiet">No passkey on this device? Use your phone: the browser offers a QR code for it.</p>
    </Page>
  );
}

/** Asks the gateway; throws with its words. */
async function post<Answer>(path: string, body: object): Promise<Answer> {
  const response = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return answerOf(response);
}

async function answerOf<Answer>(response: Response): Promise<Answer> {
  const answer = (await response.json()) as Answer & { errors?: { message: string }[] };
  if (!response.ok) throw new Error(answer.errors?.[0]?.message ?? 'This did not work. Try again.');
  return answer;
}

/** What the gateway tells of an open sign-in. */
interface Details {
  /** False once the identity provider has vouched for somebody: only their passkey is left to ask for. */
  identityProvider: boolean;
  problem: string | null;
}
