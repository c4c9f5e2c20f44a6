import { useState } from 'preact/hooks';
import { signIn } from '../auth/session.ts';
import { ConfirmTotpDocument, StartTotpDocument } from '../generated/operations.ts';
import { ask, expectType } from '../graphql.ts';
import { onlineCode, receiveSecret } from '../crypto/codes.ts';
import { Button, Problem, useAction } from '../ui/action.tsx';

/** Sets up codes: the secret is opened in this browser alone, and can be put into an authenticator app too. */
export function TotpSetup(props: { enrolled: boolean; technicianId: string; email: string; changed: () => Promise<void> }) {
  const { busy, problem, act } = useAction();
  const [uri, setUri] = useState<string | null>(null);
  const setUp = async () => {
    const secret = await receiveSecret(props.technicianId, async (recipientKey) => {
      const { enrollTotp } = await ask(StartTotpDocument, { input: { recipientKey } });
      if (enrollTotp.__typename === 'SignInTooOld') await signIn('/app', { fresh: true });
      return expectType(enrollTotp, 'TotpEnrollment');
    });
    const { confirmTotp } = await ask(ConfirmTotpDocument, { input: { code: (await onlineCode()) ?? '' } });
    expectType(confirmTotp, 'Technician');
    setUri(secret);
    await props.changed();
  };
  return (
    <div class="card">
      <Problem text={problem} />
      <p class="quiet">{props.enrolled ? 'Set up. A new secret replaces the old one everywhere.' : 'Not set up yet.'}</p>
      {uri !== null && (
        <p>
          This browser has it. For an authenticator app, open <a href={uri}>this link</a> on the device with the app.
        </p>
      )}
      <Button kind="quiet" busy={busy} onClick={() => act(setUp)}>
        {props.enrolled ? 'Set up anew' : 'Set up codes'}
      </Button>
    </div>
  );
}
